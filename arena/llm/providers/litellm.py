"""The provider `litellm`: asks models through LiteLLM, whose only importer for calls it is."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from arena.core import Message, ModelSpec, UsageError
from arena.core.threads import Shared
from arena.llm.costs.prices import PriceTable, listed_limit, listed_prices
from arena.llm.failures.classify import raise_local
from arena.llm.failures.inside import Heard
from arena.llm.providers import litellm_scripted, litellm_transport
from arena.llm.providers.lean.path import LeanPath
from arena.llm.providers.litellm_connections import Connections
from arena.llm.providers.litellm_imports import FIRST_ASKED, FIRST_OF, FIRST_STREAMED, importing
from arena.llm.providers.litellm_lean import LeanRequests
from arena.llm.providers.litellm_names import listed_entry, unknown_model, unknown_protocol
from arena.llm.providers.litellm_params import (
    check_accepted,
    check_found,
    check_tools_taken,
    signs_thoughts,
    unknown_to_provider,
)
from arena.llm.providers.litellm_path import call_path
from arena.llm.providers.litellm_transport import nothing_sent, one_attempt
from arena.llm.providers.litellm_version import check_names, supported
from arena.llm.providers.prompt_cache import marked, wants_marks
from arena.llm.providers.protocol import Answer, CallPath, ProviderSettings
from arena.llm.providers.response import StreamedAnswer, ended_by, is_silent, read
from arena.llm.providers.stopwatch import stopwatch
from arena.llm.providers.token_logs import asking, recorded_tokens
from arena.llm.providers.twin_calls import GOOGLE, without_twins
from arena.llm.request import PER_CALL
from arena.llm.scripted.policies import PREFIX, is_scripted
from arena.llm.secrets import headers_of, key_of, scrub

_ADDRESS = re.compile(r"https?://[^\s/?#]+\S*\Z", re.IGNORECASE)

# Its timers would count the lag of the loop. It makes a connection pool for each value.
NO_TIMEOUT = 86_400.0


class LiteLLM:
    """Every model that LiteLLM can reach, and the scripted ones."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._module: Any = None
        self._connections: Connections | None = None
        self._switch: ContextVar[bool] | None = None
        self._learned: dict[str, LeanPath | str] = {}
        self._learning: dict[str, asyncio.Task[LeanPath | str]] = {}
        self.lean = LeanRequests(self.send)
        self.news: list[str] = []

    def load(self, models: Iterable[ModelSpec] = ()) -> None:
        """Import LiteLLM: about 3 s of CPU."""
        self.loaded()
        models = list(models)
        asked = not all(map(is_scripted, models))
        names = FIRST_ASKED * asked + FIRST_STREAMED * any(model.stream for model in models)
        for word, own in FIRST_OF.items():
            names += own * any(model.litellm_model.startswith(word) for model in models)
        with importing():
            for name in names:
                # A version that has them elsewhere only takes longer over the first request.
                with suppress(ImportError):
                    import_module(name)

    def check(self, model: ModelSpec) -> None:
        """Raises UsageError for a name that LiteLLM does not know; a broken scripted model raises
        what its registry does."""
        if is_scripted(model):
            self._settings.policy(model.litellm_model.removeprefix(PREFIX))
            return
        self.check_name(model)
        # What it has for a provider is imported when it is first needed, with warnings.
        with importing():
            check_accepted(_litellm(), model)

    def check_name(self, model: ModelSpec) -> None:
        """Raises UsageError for a name or an address that LiteLLM cannot use."""
        if model.api_base is not None and not _ADDRESS.match(model.api_base):
            raise UsageError(
                f"model {model.name!r} has the api_base {scrub(repr(model.api_base))}, which is no "
                "address; expected one such as http://localhost:8000/v1"
            )
        litellm = _litellm()
        try:
            _, provider, _, _ = litellm.get_llm_provider(
                model.litellm_model, api_base=model.api_base
            )
        except litellm.BadRequestError:
            provider = None
        if not provider:
            if model.api_base is not None:
                raise UsageError(unknown_protocol(model))
            raise UsageError(unknown_model(model, litellm.model_cost))

    def check_tools(self, model: ModelSpec) -> None:
        """Raises UsageError for a model that LiteLLM sends no tools."""
        if not is_scripted(model):
            with importing():
                check_tools_taken(_litellm(), model)

    def check_key(self, model: ModelSpec) -> None:
        """Raises UsageError where LiteLLM would look for a key in a variable that is not set, or
        holds what cannot be sent; models with a server or with headers of their own need none."""
        if is_scripted(model) or model.api_base is not None or model.params.get("extra_headers"):
            return
        litellm = _litellm()
        _, provider, _, _ = litellm.get_llm_provider(model.litellm_model)
        found = litellm.validate_environment(model.litellm_model)
        check_found(model, provider, [str(name) for name in found.get("missing_keys", ())])

    def prepare(self, model: ModelSpec) -> LiteLLMEndpoint:
        self.load([model])
        litellm = self.loaded()
        self.check(model)
        kwargs: dict[str, Any] = {
            **model.params,
            "model": model.litellm_model,
            "max_retries": 0,
            "timeout": NO_TIMEOUT,
        }
        if kwargs.get("seed") == PER_CALL:
            del kwargs["seed"]
        # Their values are read for each request.
        kwargs.pop("extra_headers", None)
        for name in unknown_to_provider(litellm, model):
            del kwargs[name]
        if kwargs.get("tools"):
            # Otherwise it looks for tools of its own gateway, with a package that is not installed.
            kwargs["_skip_mcp_handler"] = True
        if self._settings.logprobs and not is_scripted(model):
            kwargs.update(asking(litellm, model))
        if model.stream:
            kwargs["stream"] = True
            kwargs["stream_options"] = {"include_usage": True}
        if model.api_base is not None:
            kwargs["api_base"] = model.api_base
            if not model.keyed:
                # Otherwise LiteLLM sends the key of the environment to whoever listens there.
                kwargs["api_key"] = "none"
        if is_scripted(model):
            kwargs["client"] = self._settings.policy(model.litellm_model.removeprefix(PREFIX))
            litellm_scripted.list_free(model.litellm_model)
            return LiteLLMEndpoint(self, model, kwargs, free=True)
        _, provider, _, _ = litellm.get_llm_provider(model.litellm_model, api_base=model.api_base)
        marks = model.name in self._settings.cached and wants_marks(provider, model.litellm_model)
        signed = signs_thoughts(litellm, model)
        entry = listed_entry(litellm.model_cost, model)
        if entry is None:
            return LiteLLMEndpoint(self, model, kwargs, marks=marks, signed=signed)
        tier = model.params.get("service_tier")
        prices = listed_prices(entry, service_tier=tier)
        limit = listed_limit(entry)
        return LiteLLMEndpoint(self, model, kwargs, prices, limit, marks=marks, signed=signed)

    async def aclose(self) -> None:
        await self.lean.aclose()
        if self._connections is not None:
            await self._connections.aclose()

    async def learned(
        self,
        model: ModelSpec,
        kwargs: Mapping[str, Any],
        *,
        marks: bool = False,
        as_keyed: bool = False,
    ) -> LeanPath | str:
        """The lean path of a model, learned when it is first asked for; nothing is sent. `marks`
        says that its prompts are marked for a cache, `as_keyed` that it has a key of its own."""
        headers = sorted(model.params.get("extra_headers") or ())
        keyed, seeded = as_keyed or model.keyed, model.params.get("seed") == PER_CALL
        named = json.dumps([kwargs, keyed, seeded, headers, marks], sort_keys=True, default=str)
        if (found := self._learned.get(named)) is not None:
            return found
        task = self._learning.get(named)
        elsewhere = task is not None and task.get_loop() is not asyncio.get_running_loop()
        if task is None or elsewhere or task.cancelled():
            learning = self.lean.learn(
                kwargs, key=keyed, headers=headers, seeded=seeded, marks=marks
            )
            task = self._learning[named] = asyncio.create_task(learning)
        self._learned[named] = found = await asyncio.shield(task)
        if isinstance(found, str):
            self.note(f"{model.name} is asked through LiteLLM, which takes more CPU: {found}")
        return found

    def note(self, said: str) -> None:
        """Have this told once to who started the run."""
        if said not in self.news:
            self.news.append(said)

    async def send(
        self,
        kwargs: Mapping[str, Any],
        messages: Sequence[Mapping[str, Any]],
        *,
        signed: bool = False,
    ) -> Answer:
        """One request, with these arguments of LiteLLM's, whose answer has its thoughts as they
        were `signed`; whatever goes wrong is raised."""
        # LiteLLM may write into the messages it is given.
        fresh = deepcopy([*messages])

        async def ask(litellm: Any, heard: Heard) -> Answer:
            response = await litellm.acompletion(messages=fresh, **kwargs)
            if kwargs.get("stream"):
                return await _streamed(response, heard, signed)
            return read(response, signed=signed)

        return await self.attempt(ask, local="client" in kwargs)

    async def attempt(
        self, ask: Callable[[Any, Heard], Awaitable[Answer]], *, local: bool = False
    ) -> Answer:
        """One request that `ask` makes of LiteLLM, whatever is asked; a `local` one sends nothing.
        Whatever goes wrong is raised."""
        assert self._connections is not None
        quiet: AbstractContextManager[None] = (
            nullcontext() if self._switch is None else _set(self._switch)
        )
        with quiet, one_attempt() as heard, self._connections.used():
            try:
                answer = await ask(self._module, heard)
            except Exception as error:
                failure = heard.failure(silent=False)
                if failure is not None:
                    raise failure from None
                if nothing_sent() and not local:
                    raise_local(error)
                raise
            failure = heard.failure(silent=is_silent(answer))
            if failure is not None:
                raise failure
            if heard.finish_reason is not None:
                answer = ended_by(answer, heard.finish_reason)
            said = {**heard.told, **(answer.response or {}), **recorded_tokens(heard)}
            return replace(answer, response=said)

    def loaded(self) -> Any:
        """LiteLLM itself, ready to be asked."""
        if self._module is None:
            litellm = _litellm()
            self._switch = _quiet()
            with supported():
                self._connections = Connections(litellm)
                litellm_transport.install(litellm)
                litellm_scripted.install()
            self._module = litellm
        return self._module


@dataclass(frozen=True, slots=True)
class LiteLLMEndpoint:
    """What every request to one model shares (`arena.llm.providers.protocol.Endpoint`). `marks`
    says that the provider is told what to cache, `signed` that it wants its signed thoughts back
    with the results of tools."""

    provider: LiteLLM
    model: ModelSpec
    kwargs: Mapping[str, Any]
    prices: PriceTable | None = None
    longest_answer: int | None = None
    free: bool = False
    marks: bool = False
    signed: bool = False
    _path: list[LeanPath | str] = field(default_factory=list, repr=False, compare=False)

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        kwargs = self.kwargs
        key = key_of(self.model)
        headers = headers_of(self.model)
        if key is not None:
            kwargs = {**kwargs, "api_key": key}
        if headers:
            kwargs = {**kwargs, "extra_headers": headers}
        if seed is not None:
            kwargs = {**kwargs, "seed": seed}
        sent: Sequence[Mapping[str, Any]] = marked(messages) if self.marks else messages
        if self.model.litellm_model.startswith(GOOGLE):
            sent = without_twins(sent)
        path = self._path[0] if self._path else await self.path()
        if isinstance(path, LeanPath):
            odd = path.unlike(messages)
            secrets = path.secrets(key, headers)
            if odd is None and secrets is not None:
                lean = self.provider.lean
                return await lean.ask(path, kwargs, sent, secrets, seed, self._not_lean)
            self._not_lean(odd or "a key is gone")
        return await self.provider.send(kwargs, sent, signed=self.signed)

    def _not_lean(self, why: str) -> None:
        self.provider.note(f"some calls of {self.model.name} go through LiteLLM: {why}")

    async def path(self) -> LeanPath | str:
        """How it is asked without LiteLLM, or why it is not."""
        if self.free:
            return "scripted models take the path of LiteLLM"
        if self.signed and self.kwargs.get("tools"):
            return "its signed thoughts go back to it with what tools say"
        if not self._path:
            self._path.append(
                await self.provider.learned(self.model, self.kwargs, marks=self.marks)
            )
        return self._path[0]

    async def call_path(self) -> CallPath:
        """The way that its calls take, or would if its key were set; nothing is sent."""
        try:
            self.provider.check_key(self.model)
        except UsageError:
            learned = self.provider.learned(self.model, self.kwargs, as_keyed=True)
            return call_path(await learned)
        return call_path(await self.path())


async def _streamed(response: Any, heard: Heard, signed: bool) -> Answer:
    streamed, timed = StreamedAnswer(keeps_signed=signed), stopwatch()
    first_token_ms: float | None = None
    loop = Shared()
    async for chunk in response:
        if streamed.add(chunk) and first_token_ms is None:
            first_token_ms = timed.answering() * 1e3
        # Chunks that came together are read without a wait.
        await loop.others()
    answer = streamed.finish(response, ended=heard.ended if heard.events else None)
    return replace(answer, first_token_ms=first_token_ms)


def _litellm() -> Any:
    with supported():
        return _readied()


def _readied() -> Any:
    with importing():
        import litellm

        # Pydantic warns of LiteLLM's own types when they are first used.
        litellm.ModelResponse()
        litellm.ModelResponseStream()
        with suppress(AttributeError):
            litellm.get_llm_provider("mistral/any")
    check_names(litellm)
    # It would print to stdout.
    litellm.suppress_debug_info = True
    # It would fetch one from the network, and hold the loop for it, to count a stream's tokens.
    litellm.disable_hf_tokenizer_download = True
    for kind in (litellm.ModelResponseStream, litellm.utils.StreamingChoices, litellm.utils.Delta):
        for name in ("model_fields", "model_computed_fields"):
            # Its streams look at every attribute of these; pydantic warns of two that belong to
            # the class. An attribute of their own is as good, and silent.
            setattr(kind, name, getattr(kind, name))
    return litellm


def _quiet() -> ContextVar[bool] | None:
    """LiteLLM's switch for calls that no callback listens to: a third of a call's CPU. A version
    without it only costs more."""
    try:
        switch = import_module("litellm._internal_context").is_internal_call
    except (ImportError, AttributeError):
        return None
    return switch if isinstance(switch, ContextVar) else None


@contextmanager
def _set(switch: ContextVar[bool]) -> Iterator[None]:
    token = switch.set(True)
    try:
        yield
    finally:
        switch.reset(token)
