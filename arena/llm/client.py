"""Asks models: finds each one's provider, and puts every call on record, within its limits.

Every attempt is on record before it is sent and before it is used; what a provider is asked, and
how, is the provider's (`arena.llm.providers.protocol`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from arena.core import CallLog, Completion, Message, ModelSpec, Policy
from arena.core.execution import TellsNews
from arena.core.plugins import guarded
from arena.llm.cache import Answers
from arena.llm.call import Call, Means
from arena.llm.clearance import Clearance
from arena.llm.costs.prices import PriceTable, own_prices
from arena.llm.costs.worst_case import bound_of, check_priced
from arena.llm.failures.retry import Backoff
from arena.llm.key_places import check_places
from arena.llm.pacing.deadlines import within
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.prepared import PreparedModel
from arena.llm.providers.protocol import (
    CallPath,
    HearsEnd,
    KeyFinder,
    KnowsTools,
    PathTeller,
    Provider,
    ProviderSettings,
)
from arena.llm.request import (
    check_params,
    check_written,
    sendable,
    sent_seed,
    stored_request,
)
from arena.llm.request_hash import HashChain
from arena.llm.scripted.policies import is_scripted
from arena.llm.secrets import headers_of, key_of

DEFAULT_PROVIDER = "litellm"

_MOST_MODELS = 1024
# Seconds for a provider to be told how a game has ended.
_END = 5.0

MakeProvider = Callable[[str, ProviderSettings], Provider]
"""Makes the provider of a name; raises UsageError where there is none."""


class Client:
    """Asks the models of a run; any number of games may wait in it at once, and any number of
    clients live in a process.

    `make_provider` makes the providers that the models name; `provider` is that of the others.
    `policy` finds what answers as `scripted/<name>`. `timeout` is the seconds after which an
    attempt is given up, without those for which the event loop was held. `retries` is the attempts
    after the first, `keep_answers` marks answers for a cache to find. `cached` are the names of the
    models whose prompts a provider is to cache. `rng` gives the jitter.
    """

    def __init__(
        self,
        make_provider: MakeProvider,
        *,
        policy: Callable[[str], Policy],
        provider: str = DEFAULT_PROVIDER,
        timeout: float = 120.0,
        retries: int = 4,
        keep_answers: bool = False,
        cached: Iterable[str] = (),
        logprobs: bool = False,
        backoff: Backoff | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._make = make_provider
        self._settings = ProviderSettings(timeout, policy, frozenset(cached), logprobs)
        self._default = provider
        self._means = Means(
            retries=retries,
            deadline=timeout,
            backoff=backoff or Backoff(),
            rng=rng or random.Random(0),
            keep=keep_answers,
        )
        self._providers: dict[str, Provider] = {}
        self._prepared: dict[int, PreparedModel] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # In another process it is made as here, and finds its own providers and connections.
        means, settings = self._means, self._settings
        made = partial(
            Client,
            self._make,
            policy=settings.policy,
            provider=self._default,
            timeout=settings.timeout,
            retries=means.retries,
            keep_answers=means.keep,
            cached=settings.cached,
            logprobs=settings.logprobs,
            backoff=means.backoff,
        )
        return made, ()

    @property
    def lag(self) -> LoopLag:
        """That of the loop in which it asks; it counts in no limit."""
        return self._means.lag

    def load(self, models: Iterable[ModelSpec]) -> None:
        """Import and make what calls to these models need, so that the first call does not hold up
        the loop: answers that come meanwhile are on no disk. Takes seconds."""
        by_provider: dict[str, list[ModelSpec]] = defaultdict(list)
        for model in models:
            by_provider[self._name(model)].append(model)
        for name, theirs in by_provider.items():
            with self._guarded(name, "being loaded"):
                self._provider(name).load(theirs)
            for model in theirs:
                self._prepare(model)

    def check(self, model: ModelSpec) -> None:
        """Raises UsageError for a model that its provider does not know or cannot ask so, and for
        params that cannot be sent. Nothing is sent anywhere."""
        self.check_spec(model)
        name = self._name(model)
        with self._guarded(name, f"checking the model {model.name!r}"):
            self._provider(name).check(model)

    def check_spec(self, model: ModelSpec) -> None:
        """What `check` finds without the model's provider. Raises UsageError."""
        check_params(model)
        check_written(model)
        check_places(model)

    def check_keys(self, model: ModelSpec) -> None:
        """Raises UsageError where the key or a header of a model is not set, or cannot be sent."""
        key_of(model)
        headers_of(model)
        name = self._name(model)
        provider = self._provider(name)
        if not model.keyed and isinstance(provider, KeyFinder):
            with self._guarded(name, f"looking for the key of the model {model.name!r}"):
                provider.check_key(model)

    def check_tools(self, model: ModelSpec) -> None:
        """Raises UsageError for a model whose provider says that it takes no tools."""
        name = self._name(model)
        provider = self._provider(name)
        if isinstance(provider, KnowsTools):
            with self._guarded(name, f"asking whether the model {model.name!r} takes tools"):
                provider.check_tools(model)

    def prices(self, model: ModelSpec) -> PriceTable | None:
        """What the model's tokens cost: its own prices, else its provider's; None where nobody
        says."""
        return self._prepare(model).prices

    def worst(self, model: ModelSpec, messages: Sequence[Message]) -> float | None:
        """The most that one call can cost, in dollars; None where nobody knows a price."""
        prepared = self._prepare(model)
        return 0.0 if prepared.free else prepared.worst(messages)

    def check_priced(self, model: ModelSpec) -> None:
        """Raises UsageError for a model whose worst case cannot be told: a budget needs it."""
        prepared = self._prepare(model)
        if not prepared.free:
            check_priced(model, prepared.prices, prepared.endpoint.longest_answer)

    @property
    def news(self) -> list[str]:
        """What providers had to say so far to who started the run, a sentence each."""
        return [
            said
            for provider in self._providers.values()
            if isinstance(provider, TellsNews)
            for said in provider.news
        ]

    async def learn(self, models: Iterable[ModelSpec]) -> None:
        """Learn how these models are asked, so that no game waits for it. Nothing is sent."""
        for model in models:
            await self.path(model)

    async def path(self, model: ModelSpec) -> CallPath | None:
        """How the calls to a model are sent; None where its provider has one way. Nothing is sent.
        Raises UsageError as `check` does."""
        if is_scripted(model):
            return CallPath(False, "a scripted model answers within this process")
        prepared = self._prepare(model)
        if not isinstance(prepared.endpoint, PathTeller):
            return None
        with self._guarded(prepared.provider, f"learning how {model.name!r} is asked"):
            return await prepared.endpoint.call_path()

    async def aclose(self) -> None:
        """Close the connections; the client can be used again afterwards."""
        for name, provider in self._providers.items():
            with self._guarded(name, "being closed"):
                await provider.aclose()

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
        hashes: HashChain | None = None,
    ) -> Completion:
        """One answer, after as many attempts as it takes, each of them in `log`.

        `seed` is the call's own, for models that are sent one (`sent_seed`). `answers` are looked
        at first; `within` is the seconds that its turn still has; `hashes` are those of the calls
        before it that began alike.

        Raises ProviderError when the attempts are used up, or at once where another would not
        help; a Pause when the game can resume later; TimeLimitReached; UsageError when the
        variable with the key is not set.
        """
        prepared = self._prepare(model)
        key_of(model)
        sent = sendable(messages)
        seed = sent_seed(model, seed)
        request = stored_request(model, seed)
        call = Call(
            means=self._means,
            prepared=prepared,
            messages=sent,
            request=request,
            request_hash=(hashes or HashChain()).of(model.litellm_model, sent, request),
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

    async def end(self, model: ModelSpec, messages: Sequence[Message]) -> None:
        """Tell a model's provider how a game has ended, where it wants to know. Whatever comes of
        it changes nothing; it takes a few seconds at most."""
        with suppress(Exception):
            endpoint = self._prepare(model).endpoint
            if isinstance(endpoint, HearsEnd):
                async with within(_END, self._means.lag):
                    await endpoint.end(messages)

    def _name(self, model: ModelSpec) -> str:
        # A tournament's provider is that of models; what answers in a model's place needs none.
        return model.provider or (DEFAULT_PROVIDER if is_scripted(model) else self._default)

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            provider = self._providers[name] = self._make(name, self._settings)
        return provider

    def _guarded(self, name: str, doing: str) -> AbstractContextManager[None]:
        return guarded(f"the provider {name!r}", doing)

    def _prepare(self, model: ModelSpec) -> PreparedModel:
        known = self._prepared.get(id(model))
        if known is not None:
            return known
        check_params(model)
        check_places(model)
        name = self._name(model)
        with self._guarded(name, f"preparing the model {model.name!r}"):
            endpoint = self._provider(name).prepare(model)
            own, longest = own_prices(model), endpoint.longest_answer
            free = endpoint.free and own is None
            prices = None if free else own or endpoint.prices
        cached = model.name in self._settings.cached
        bound = None if prices is None else bound_of(model.params, prices, longest, cached=cached)
        prepared = PreparedModel(model, name, endpoint, prices, bound, free)
        # The spec is kept with its entry, so that its id is not given to another.
        if len(self._prepared) >= _MOST_MODELS:
            self._prepared.clear()
        self._prepared[id(model)] = prepared
        return prepared
