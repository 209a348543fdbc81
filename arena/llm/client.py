"""Asks models through LiteLLM: every attempt on record before it is sent and before it is used."""

from __future__ import annotations

import gc
import os
import random
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import Any

from arena.core import CallLog, Completion, Message, ModelSpec, Usage, UsageError
from arena.llm.cache import Answers
from arena.llm.call import Call, Means
from arena.llm.clearance import Clearance
from arena.llm.costs.prices import PriceTable, listed_prices, own_prices
from arena.llm.costs.worst_case import Bound, bound_of, check_priced
from arena.llm.failures.classify import Fault, fault_of
from arena.llm.failures.retry import Backoff
from arena.llm.names import unknown_model, unknown_protocol
from arena.llm.providers import litellm_transport as transport
from arena.llm.providers.litellm_transport import one_attempt
from arena.llm.providers.response import Answer, StreamedAnswer, read
from arena.llm.request import check_params, request_hash, sendable, stored_request
from arena.llm.scripted import provider
from arena.llm.scripted.provider import Policies
from arena.llm.secrets import key_of, secrets_of

_MOST_MODELS = 1024

_SCRIPTED = f"{provider.NAME}/"

# Read by LiteLLM when it is imported: no `.env` file, no price list or anything else from the
# network, and no queue of 100 connections inside it that would count as the provider's latency.
_ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_OFFLINE_MODE": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "AIOHTTP_CONNECTOR_LIMIT": "20000",
    "AIOHTTP_CONNECTOR_LIMIT_PER_HOST": "20000",
    "AIOHTTP_KEEPALIVE_TIMEOUT": "75",
}


def _litellm() -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # Pydantic warns of LiteLLM's own types when they are first used.
        warnings.simplefilter("ignore")
        import litellm

        litellm.ModelResponse()
        litellm.ModelResponseStream()
    litellm.suppress_debug_info = True
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


class LiteLLMClient:
    """The one client of a process; any number of games may wait in it at once.

    `scripted` gives the policies behind `scripted/<name>`, as a mapping or a function. `timeout`
    is the seconds an attempt may take, for every model the same, because LiteLLM makes a
    connection pool for each value; `deadline` is the seconds after which an attempt is given up
    whatever LiteLLM does (by default a second later). `retries` is the attempts after the first,
    `keep_answers` marks answers for a cache to find. `rng` gives the jitter.
    """

    def __init__(
        self,
        *,
        scripted: Policies | None = None,
        timeout: float = 120.0,
        deadline: float | None = None,
        retries: int = 4,
        keep_answers: bool = False,
        backoff: Backoff | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._scripted: Policies = {} if scripted is None else scripted
        self._timeout = timeout
        self._means = Means(
            retries=retries,
            deadline=timeout + 1.0 if deadline is None else deadline,
            backoff=backoff or Backoff(),
            rng=rng or random.Random(0),
            keep=keep_answers,
        )
        self._prepared: dict[int, _Prepared] = {}
        self._module: Any = None
        self._switch: ContextVar[bool] | None = None

    def load(self, models: Iterable[ModelSpec] = ()) -> None:
        """Import LiteLLM (about 3 s of CPU), and what calls to these models need of it, so that
        the first call does not hold up the loop: answers that come meanwhile are on no disk."""
        if self._module is None:
            self._module = _litellm()
            self._switch = _quiet()
            transport.install(self._module)
            provider.install(self._scripted)
            # A million objects that live as long as the process: the collector need not look
            # through them again and again, which is a tenth of a call's CPU.
            gc.collect()
            gc.freeze()
        if not all(self._prepare(model).free for model in models):
            # Imported by the first request, for half a second.
            import_module("openai.resources")

    def prices(self, model: ModelSpec) -> PriceTable | None:
        """What the model's tokens cost: its own prices, else LiteLLM's; None where nobody says."""
        return self._prepare(model).prices

    def check_priced(self, model: ModelSpec) -> None:
        """Raises UsageError for a model whose worst case cannot be told: a budget needs it."""
        prepared = self._prepare(model)
        if not prepared.free:
            check_priced(model, prepared.prices, prepared.entry)

    async def aclose(self) -> None:
        """Close the connections; the client can be used again afterwards."""
        if self._module is not None:
            await self._module.close_litellm_async_clients()
            self._module.in_memory_llm_clients_cache.flush_cache()

    async def complete(
        self,
        model: ModelSpec,
        messages: Sequence[Message],
        *,
        log: CallLog,
        clearance: Clearance,
        answers: Answers | None = None,
        call_number: int = 0,
        first_index: int = 0,
        first_attempt: int = 0,
        seed: int | None = None,
        within: float | None = None,
    ) -> Completion:
        """One answer, after as many attempts as it takes, each of them in `log`.

        `seed` is the call's own; only scripted models are sent it, others have theirs in their
        params. `answers` are looked at first; `within` is the seconds that its turn still has.

        Raises ProviderError when the attempts are used up, or at once where another would not
        help; a Pause when the game can resume later; TimeLimitReached; UsageError when the
        variable with the key is not set.
        """
        prepared = self._prepare(model)
        key_of(model)
        sent = sendable(messages)
        request = stored_request(model, seed if prepared.free else None)
        call = Call(
            means=self._means,
            provider=prepared,
            messages=sent,
            request=request,
            request_hash=request_hash(model.litellm_model, sent, request),
            log=log,
            clearance=clearance,
            answers=answers,
            call_number=call_number,
            first_index=first_index,
            first_attempt=first_attempt,
            seed=seed,
            within=within,
        )
        return await call.complete()

    async def ask(
        self, prepared: _Prepared, messages: Sequence[Message], seed: int | None
    ) -> Answer:
        """One request to a prepared model; whatever goes wrong is raised."""
        kwargs = prepared.kwargs
        started = perf_counter()
        key = key_of(prepared.model)
        if key is not None:
            kwargs = {**kwargs, "api_key": key}
        if prepared.free and seed is not None:
            kwargs = {**kwargs, "seed": seed}
        # LiteLLM may write into the messages it is given.
        fresh = [dict(message) for message in messages]
        quiet: AbstractContextManager[None] = (
            nullcontext() if self._switch is None else _set(self._switch)
        )
        with quiet, one_attempt():
            response = await self._module.acompletion(messages=fresh, **kwargs)
            if not prepared.model.stream:
                return read(response)
            # LiteLLM's streams look at every attribute of its own objects, also at those that
            # pydantic has deprecated.
            warnings.filterwarnings("ignore", "Accessing the 'model_", DeprecationWarning)
            streamed = StreamedAnswer()
            first_token_ms: float | None = None
            async for chunk in response:
                if streamed.add(chunk) and first_token_ms is None:
                    first_token_ms = (perf_counter() - started) * 1e3
            answer = streamed.finish(response)
            answer.first_token_ms = first_token_ms
            return answer

    def _prepare(self, model: ModelSpec) -> _Prepared:
        known = self._prepared.get(id(model))
        if known is not None:
            return known
        self.load()
        check_params(model)
        scripted = model.litellm_model.startswith(_SCRIPTED)
        kwargs: dict[str, Any] = {
            **model.params,
            "model": model.litellm_model,
            "max_retries": 0,
            "timeout": self._timeout,
        }
        if model.stream:
            kwargs["stream"] = True
            kwargs["stream_options"] = {"include_usage": True}
        if scripted:
            name = model.litellm_model.removeprefix(_SCRIPTED)
            provider.list_free(name)
            kwargs["client"] = provider.policy_of(self._scripted, name)
        if model.api_base is not None:
            kwargs["api_base"] = model.api_base
            if model.api_key_env is None:
                # Otherwise LiteLLM sends the key of the environment to whoever listens there.
                kwargs["api_key"] = "none"
        entry = None if scripted else self._entry(model)
        prices = (
            None
            if scripted
            else own_prices(model)
            or (entry and listed_prices(entry, service_tier=model.params.get("service_tier")))
        )
        bound = bound_of(model.params, prices, entry) if prices else None
        prepared = _Prepared(self, model, kwargs, prices or None, entry, bound, scripted)
        # The spec is kept with its entry, so that its id is not given to another.
        if len(self._prepared) >= _MOST_MODELS:
            self._prepared.clear()
        self._prepared[id(model)] = prepared
        return prepared

    def _entry(self, model: ModelSpec) -> Mapping[str, Any] | None:
        """The model's entry in LiteLLM's price list."""
        if model.api_base is not None:
            return None
        listed: Mapping[str, Mapping[str, Any]] = self._module.model_cost
        entry = listed.get(model.litellm_model)
        if entry is None:
            _, _, bare = model.litellm_model.partition("/")
            entry = listed.get(bare)
            if entry is None or not model.litellm_model.startswith(
                f"{entry.get('litellm_provider')}/"
            ):
                return None
        return entry


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What every request to one model shares (`arena.llm.call.Provider`)."""

    client: LiteLLMClient
    model: ModelSpec
    kwargs: dict[str, Any]
    prices: PriceTable | None
    entry: Mapping[str, Any] | None
    bound: Bound | None
    free: bool

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        return await self.client.ask(self, messages, seed)

    def fault(self, error: Exception) -> Fault:
        return error if isinstance(error, Fault) else fault_of(error, *secrets_of(self.model))

    def worst(self, messages: Sequence[Message]) -> float | None:
        return None if self.bound is None else self.bound.dollars(messages)

    def cost(self, usage: Usage) -> float | None:
        if self.free:
            return 0.0
        return None if self.prices is None else self.prices.cost(usage)


def check_model(model: ModelSpec, *, scripted: Collection[str] = ()) -> None:
    """Raises UsageError for a model that no provider knows, or whose params cannot be sent;
    `scripted` are the names of the scripted models. Nothing is sent anywhere."""
    check_params(model)
    name = model.litellm_model
    ours = [f"{_SCRIPTED}{known}" for known in scripted]
    if name.startswith(_SCRIPTED):
        policy = name.removeprefix(_SCRIPTED)
        if policy not in scripted:
            raise UsageError(unknown_model(model, ours))
        return
    litellm = _litellm()
    try:
        _, known_provider, _, _ = litellm.get_llm_provider(name, api_base=model.api_base)
    except litellm.BadRequestError:
        if model.api_base is not None:
            raise UsageError(unknown_protocol(model)) from None
        raise UsageError(unknown_model(model, [*litellm.model_cost, *ours])) from None
    if not known_provider:
        raise UsageError(unknown_model(model, [*litellm.model_cost, *ours]))
