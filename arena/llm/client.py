"""Asks models through LiteLLM: every attempt on record before it is sent and before it is used."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import warnings
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from time import perf_counter
from typing import Any

from arena.core import (
    CallAnswer,
    CallIntent,
    CallLog,
    Completion,
    Message,
    ModelSpec,
    ProviderError,
    UsageError,
)
from arena.llm.names import unknown_model, unknown_protocol
from arena.llm.prices import PriceTable, listed_prices, own_prices
from arena.llm.request import call_seed, check_params, request_hash, sendable, stored_request
from arena.llm.response import Answer, StreamedAnswer, read
from arena.llm.retry import Backoff, Fault, again, explain, fault_of
from arena.llm.scripted import provider
from arena.llm.scripted.provider import Policies
from arena.llm.secrets import key_of

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


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What every request to one model shares."""

    model: ModelSpec
    kwargs: dict[str, Any]
    prices: PriceTable | None
    scripted: bool


class LiteLLMClient:
    """The one client of a process; any number of games may wait in it at once.

    `scripted` gives the policies behind `scripted/<name>`, as a mapping or a function. `timeout`
    is the seconds an attempt may take, for every model the same, because LiteLLM makes a
    connection pool for each value; `deadline` is the seconds after which an attempt is given up
    whatever LiteLLM does (by default a second later). `retries` is the attempts after the first.
    `sleep` and `rng` (jitter) can be replaced by tests.
    """

    def __init__(
        self,
        *,
        scripted: Policies | None = None,
        timeout: float = 120.0,
        deadline: float | None = None,
        retries: int = 4,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._scripted: Policies = {} if scripted is None else scripted
        self._timeout = timeout
        self._deadline = timeout + 1.0 if deadline is None else deadline
        self._retries = retries
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._rng = rng or random.Random(0)
        self._prepared: dict[int, _Prepared] = {}
        self._module: Any = None
        self._switch: ContextVar[bool] | None = None

    def load(self) -> None:
        """Import LiteLLM (about 3 s of CPU), so that the first call does not hold up the loop."""
        if self._module is None:
            self._module = _litellm()
            self._switch = _quiet()
            provider.install(self._scripted)
            # A million objects that live as long as the process: the collector need not look
            # through them again and again, which is a tenth of a call's CPU.
            gc.collect()
            gc.freeze()

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
        call_number: int = 0,
        first_index: int = 0,
        seed: int | None = None,
    ) -> Completion:
        """One answer, after as many attempts as it takes, each of them in `log`.

        `seed` is the call's own; only scripted models are sent it, others have theirs in their
        params. Raises ProviderError when the attempts are used up, or at once where another would
        not help; UsageError when the variable with the key is not set.
        """
        prepared = self._prepare(model)
        sent = sendable(messages)
        request = stored_request(model, seed if prepared.scripted else None)
        digest = request_hash(model.litellm_model, sent, request)
        attempts = 0

        async def attempt() -> Completion:
            nonlocal attempts
            number, attempts = attempts, attempts + 1
            intent = CallIntent(
                call_index=first_index + number,
                call_number=call_number,
                attempt=number,
                model=model.litellm_model,
                messages=sent,
                request=request,
                request_hash=digest,
            )
            return await self._attempt(prepared, intent, log, seed)

        key_of(model)
        try:
            try:
                return await attempt()
            except Fault as fault:
                return await again(
                    fault,
                    attempt,
                    retries=0 if prepared.scripted else self._retries,
                    backoff=self._backoff,
                    rng=self._rng,
                    sleep=self._sleep,
                )
        except Fault as fault:
            raise ProviderError(explain(model.name, model.litellm_model, fault, attempts)) from None

    async def _attempt(
        self, prepared: _Prepared, intent: CallIntent, log: CallLog, seed: int | None
    ) -> Completion:
        await log.intend(intent)
        key = key_of(prepared.model)
        sent_at = datetime.now(UTC)
        started = perf_counter()
        try:
            async with asyncio.timeout(self._deadline):
                answer = await self._ask(prepared, intent.messages, key, seed, started)
        except Exception as error:
            fault = self._fault(error, key)
            await log.answer(
                CallAnswer(
                    call_index=intent.call_index,
                    request_sent_at=sent_at,
                    response_received_at=datetime.now(UTC),
                    total_ms=(perf_counter() - started) * 1e3,
                    error_class=fault.error_class,
                    error_message=fault.message,
                    error_status=fault.status,
                )
            )
            raise fault from None
        total_ms = (perf_counter() - started) * 1e3
        usage = answer.usage
        cost = 0.0 if prepared.scripted else None
        if prepared.prices is not None:
            cost = prepared.prices.cost(usage)
        if cost is not None:
            usage = replace(usage, cost=cost)
        await log.answer(
            CallAnswer(
                call_index=intent.call_index,
                request_sent_at=sent_at,
                response_received_at=datetime.now(UTC),
                total_ms=total_ms,
                first_token_ms=answer.first_token_ms,
                text=answer.text,
                response=answer.stored,
                model_answered=answer.model,
                finish_reason=answer.finish_reason,
                usage=usage,
            )
        )
        return Completion(answer.text, answer.finish_reason, usage)

    async def _ask(
        self,
        prepared: _Prepared,
        messages: Sequence[Message],
        key: str | None,
        seed: int | None,
        started: float,
    ) -> Answer:
        kwargs = prepared.kwargs
        if key is not None:
            kwargs = {**kwargs, "api_key": key}
        if prepared.scripted and seed is not None:
            kwargs = {**kwargs, "seed": seed}
        # LiteLLM may write into the messages it is given.
        fresh = [dict(message) for message in messages]
        quiet: AbstractContextManager[None] = (
            nullcontext() if self._switch is None else _set(self._switch)
        )
        with quiet:
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

    def _fault(self, error: Exception, key: str | None) -> Fault:
        if isinstance(error, Fault):
            return error
        if isinstance(error, TimeoutError):
            message = f"no answer within {self._deadline:g} s"
            return Fault("Timeout", message, retryable=True)
        from openai import OpenAIError

        fault = fault_of(error, key)
        if not isinstance(error, OpenAIError):
            # Not a provider's failure but a bug somewhere: the same again would not help.
            fault.retryable = False
        return fault

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
        prices = None if scripted else own_prices(model) or self._listed(model)
        prepared = _Prepared(model, kwargs, prices, scripted)
        # The spec is kept with its entry, so that its id is not given to another.
        if len(self._prepared) >= _MOST_MODELS:
            self._prepared.clear()
        self._prepared[id(model)] = prepared
        return prepared

    def _listed(self, model: ModelSpec) -> PriceTable | None:
        if model.api_base is not None:
            return None
        listed: Mapping[str, Any] = self._module.model_cost
        entry = listed.get(model.litellm_model)
        if entry is None:
            _, _, bare = model.litellm_model.partition("/")
            entry = listed.get(bare)
            if entry is None or not model.litellm_model.startswith(
                f"{entry.get('litellm_provider')}/"
            ):
                return None
        return listed_prices(entry)


class TurnLLM:
    """An agent's handle for one turn: the model is chosen, calls and attempts are counted.

    `seed` is the turn's; every call gets one of its own from it.
    """

    __slots__ = ("_attempts", "_calls", "_client", "_log", "_model", "_seed")

    def __init__(
        self, client: LiteLLMClient, model: ModelSpec, log: CallLog, seed: int | None = None
    ) -> None:
        self._client = client
        self._model = model
        self._log = log
        self._seed = seed
        self._calls = 0
        self._attempts = 0

    async def complete(self, messages: Sequence[Message]) -> Completion:
        """Ask the agent's model. Raises ProviderError when every attempt failed."""
        number, self._calls = self._calls, self._calls + 1
        return await self._client.complete(
            self._model,
            messages,
            log=self,
            call_number=number,
            first_index=self._attempts,
            seed=None if self._seed is None else call_seed(self._seed, number),
        )

    async def intend(self, intent: CallIntent) -> None:
        """Counts the attempt and hands it on."""
        self._attempts += 1
        await self._log.intend(intent)

    async def answer(self, answer: CallAnswer) -> None:
        """Hands the answer on."""
        await self._log.answer(answer)


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
