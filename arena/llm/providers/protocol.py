"""What a provider must give: models that can be asked, one request at a time, with their prices.

A provider is one file and one entry-point line (`arena.providers`). It sends a request and reads
the answer; what is recorded, waited for, paid and tried again is the client's to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from arena.core import Completion, Message, ModelSpec, Policy
from arena.llm.costs.prices import PriceTable


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered. The completion's usage is without dollars.

    `model_answered` is the name under which the model answered; `response` is what is stored of
    the response, as JSON: an allow-list of its fields, None for the completion alone;
    `first_token_ms` is the time to the first token of a stream.
    """

    completion: Completion
    model_answered: str | None = None
    response: Mapping[str, Any] | None = None
    first_token_ms: float | None = None


@dataclass(frozen=True, slots=True)
class CallPath:
    """How the calls to a model are sent: `lean`, by the arena itself as a library was seen to do
    it, or through that library, and `why`. `address` is where a lean call goes."""

    lean: bool
    why: str
    address: str | None = None


class Endpoint(Protocol):
    """One model at its provider, ready to be asked by any number of calls at once.

    `free` says that nothing limits it and it costs nothing. `prices` are the provider's own, None
    where it knows none; `longest_answer` is the most tokens that an answer has where the request
    sets no limit, None for no bound.
    """

    @property
    def free(self) -> bool: ...
    @property
    def prices(self) -> PriceTable | None: ...
    @property
    def longest_answer(self) -> int | None: ...

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        """One request, one answer, nothing tried again; `seed` is the call's own, None where the
        model's params say all. The messages are not to be written to.

        Raises Fault for a failure that it can name; whatever else it raises is named by the
        exceptions behind it (`arena.llm.failures.classify.fault_of`). Being cancelled is how an
        attempt ends that took too long: a provider sets no limit of its own. One that sees its
        connections tells `arena.llm.providers.stopwatch.stopwatch()` what happens there; of others
        the time counts in which the event loop was not held.
        """
        ...


class Provider(Protocol):
    """Who answers calls. Any number of providers live in one process and know nothing of each
    other, those of the same class too."""

    def load(self, models: Iterable[ModelSpec]) -> None:
        """Import and make what calls to these models need, so that the first call does not hold up
        the event loop."""
        ...

    def check(self, model: ModelSpec) -> None:
        """Raises UsageError for a model that it does not know or cannot ask in this way: by this
        name, with these params, streamed. Nothing is sent anywhere."""
        ...

    def prepare(self, model: ModelSpec) -> Endpoint:
        """The model, ready to be asked. Raises UsageError as `check` does."""
        ...

    async def aclose(self) -> None:
        """Close the connections of this provider, and of no other; it can be used again."""
        ...


@runtime_checkable
class PathTeller(Protocol):
    """An endpoint whose calls may be sent in more than one way."""

    async def call_path(self) -> CallPath:
        """The way that its calls take. Nothing is sent, and no key is needed."""
        ...


@runtime_checkable
class KeyFinder(Protocol):
    """A provider that finds keys by itself, in variables that no model names."""

    def check_key(self, model: ModelSpec) -> None:
        """Raises UsageError where the key of a model that names no variable is not found, or cannot
        be sent. Nothing is sent anywhere."""
        ...


@runtime_checkable
class KnowsTools(Protocol):
    """A provider that can tell which of its models take no tools."""

    def check_tools(self, model: ModelSpec) -> None:
        """Raises UsageError where a model cannot be offered tools. Nothing is sent anywhere."""
        ...


@runtime_checkable
class HearsEnd(Protocol):
    """An endpoint that wants to know how games end."""

    async def end(self, messages: Sequence[Message]) -> None:
        """A game has its result: what the agent has to say of it. Nothing of it is on record, and
        nothing that it raises changes the game; it is cancelled when it takes seconds."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What a provider is made with: the seconds after which a request is cancelled, what finds
    the policy of a scripted model by its name, or raises UsageError, the names of the models whose
    prompts are to be cached where the provider wants to be told so, and whether answers are asked
    for with the tokens that they are made of, where the provider has such."""

    timeout: float
    policy: Callable[[str], Policy]
    cached: frozenset[str] = frozenset()
    logprobs: bool = False


class ProviderFactory(Protocol):
    """Makes a provider: a function, or a class."""

    def __call__(self, settings: ProviderSettings) -> Provider: ...
