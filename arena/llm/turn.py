"""An agent's handle for one turn: recorded replies first, in order, then the model itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from arena.core import (
    ArenaError,
    CallAnswer,
    CallIntent,
    CallLog,
    CallOptions,
    Completion,
    ContextOverflow,
    DivergenceError,
    Message,
    ModelSpec,
    TimeLimitReached,
)
from arena.core.people import PERSON, GivenAnswer
from arena.llm.given import given_answer
from arena.llm.overflow import ContextLimit
from arena.llm.recorded import DECIDED, OVERFLOW, TIME_LIMIT, RecordedCall, check_same
from arena.llm.request import (
    addressed,
    asked,
    call_seed,
    sendable,
    sent_seed,
    stored_request,
)
from arena.llm.request_hash import HashChain

if TYPE_CHECKING:
    from arena.llm.cache import Answers
    from arena.llm.clearance import Clearance
    from arena.llm.pacing.loop_lag import LoopLag


class ModelClient(Protocol):
    """What asks the models, for any number of games at once."""

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
        """One answer, after as many attempts as it takes, each of them in `log`."""
        ...


@runtime_checkable
class TellsEnd(Protocol):
    """A client that tells providers how games end."""

    async def end(self, model: ModelSpec, messages: Sequence[Message]) -> None:
        """Never raises, and takes a few seconds at most."""
        ...


@runtime_checkable
class KnowsLag(Protocol):
    """A client that knows the lag of the loop in which it asks."""

    @property
    def lag(self) -> LoopLag: ...


class TurnLLM:
    """The model is chosen; calls, attempts and the time they take are counted.

    `recorded` are the turn's attempts that are on record, in order. Without a client, and a
    clearance for what it sends, the record must hold every call that is asked. `seed` is the
    turn's; every call gets one of its own from it. `time_limit` is the seconds that the answers of
    the turn may take together; `place` names the turn in messages; `limit` is what is known of the
    model's context, `hashes` those of the player's requests so far. `given` is what a person has
    answered to the turn, where the model is one.
    """

    __slots__ = (
        "_answers",
        "_clearance",
        "_client",
        "_given",
        "_hashes",
        "_limit",
        "_log",
        "_model",
        "_next_call",
        "_next_index",
        "_over",
        "_place",
        "_recorded",
        "_seconds",
        "_seed",
        "_time_limit",
        "error",
        "last",
    )

    def __init__(
        self,
        client: ModelClient | None,
        model: ModelSpec,
        log: CallLog,
        seed: int | None = None,
        *,
        recorded: Sequence[RecordedCall] = (),
        place: str = "",
        time_limit: float | None = None,
        clearance: Clearance | None = None,
        answers: Answers | None = None,
        limit: ContextLimit | None = None,
        hashes: HashChain | None = None,
        given: GivenAnswer | None = None,
    ) -> None:
        self._client = client
        self._model = model
        self._log = log
        self._seed = seed
        self._place = place
        self._time_limit = time_limit
        self._clearance = clearance
        self._answers = answers
        self._limit = limit or ContextLimit()
        self._hashes = hashes or HashChain()
        self._given = given
        self._recorded = _by_number(recorded) if recorded else {}
        self._next_index = recorded[-1].call_index + 1 if recorded else 0
        self._next_call = 0
        self._seconds = 0.0
        self.last: Completion | None = None
        self.error: ArenaError | None = None
        self._over = False

    def close(self) -> None:
        """The turn is over: what is asked from now on is a bug of the kind."""
        self._over = True

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        """Ask the agent's model, or the record.

        A conversation that is too long is shortened where the `limit` says so. Raises ProviderError
        when every attempt failed, ContextOverflow where the conversation is too long and stays so,
        DivergenceError when the record holds another request, TimeLimitReached when the turn's
        answers took too long together, and RuntimeError when the turn is over.
        """
        if self._over:
            raise RuntimeError("the turn is over: an agent asks through the `llm` of its turn")
        try:
            return await self._complete(messages, asked(self._model, options))
        except ArenaError as error:
            self.error = error
            raise

    async def _complete(self, messages: Sequence[Message], model: ModelSpec) -> Completion:
        sent, cuts = self._limit.fitting(messages), 0
        while True:
            try:
                return await self._ask(sent, model)
            except ContextOverflow as error:
                sent = self._limit.shorter(messages, sent, cuts, str(error))
                cuts += 1

    async def _ask(self, messages: Sequence[Message], model: ModelSpec) -> Completion:
        number, self._next_call = self._next_call, self._next_call + 1
        messages = addressed(model, messages)
        before = self._recorded.pop(number, ()) if self._recorded else ()
        served = self._served(number, before, messages, model) if before else None
        if served is None:
            if self._client is None or self._clearance is None:
                raise DivergenceError(
                    f"{self._place}: call {number} was asked and is not on record"
                )
            if model.provider == PERSON:
                served = await given_answer(
                    self._given,
                    model,
                    messages,
                    self,
                    call_number=number,
                    call_index=self._next_index,
                    attempt=len(before),
                    seed=self._call_seed(number),
                    hashes=self._hashes,
                )
            else:
                served = await self._client.complete(
                    model,
                    messages,
                    log=self,
                    call_number=number,
                    first_index=self._next_index,
                    first_attempt=len(before),
                    seed=self._call_seed(number),
                    within=self._left(),
                    clearance=self._clearance,
                    answers=self._answers,
                    hashes=self._hashes,
                )
        self._left()
        self.last = served
        return served

    async def intend(self, intent: CallIntent) -> None:
        """Counts the attempt and hands it on."""
        self._next_index = intent.call_index + 1
        await self._log.intend(intent)

    async def answer(self, answer: CallAnswer) -> None:
        """Counts the time that it took and hands it on."""
        if answer.error_class is None:
            self._seconds += answer.total_ms / 1e3
        await self._log.answer(answer)

    @property
    def lag(self) -> LoopLag | None:
        """That of the loop in which the turn is played; None where the client measures none."""
        return self._client.lag if isinstance(self._client, KnowsLag) else None

    @property
    def place(self) -> str:
        """The turn in messages."""
        return self._place

    @property
    def asked(self) -> int:
        """The number of the latest call that was asked for."""
        return self._next_call - 1

    def unasked(self) -> int:
        """Recorded calls that were not asked for."""
        return len(self._recorded)

    def _served(
        self,
        number: int,
        before: Sequence[RecordedCall],
        messages: Sequence[Message],
        model: ModelSpec,
    ) -> Completion | None:
        sent = sendable(messages)
        request = stored_request(model, sent_seed(model, self._call_seed(number)))
        digest = self._hashes.of(model.litellm_model, sent, request)
        # What was only tried told the agent nothing: its model may have been mended since.
        told = [call for call in before if call.answered or call.error_class in DECIDED]
        check_same(told, digest, sent, self._place)
        latest = before[-1]
        if latest.error_class == TIME_LIMIT:
            raise TimeLimitReached(f"{self._place}: the time of the turn was over")
        if latest.error_class == OVERFLOW:
            raise ContextOverflow(f"{self._place}: the conversation was too long for the model")
        if not latest.answered:
            return None
        self._seconds += latest.seconds
        return latest.completion

    def _call_seed(self, number: int) -> int | None:
        return None if self._seed is None else call_seed(self._seed, number)

    def _left(self) -> float | None:
        """Seconds left of the turn, None without a limit."""
        if self._time_limit is None:
            return None
        left = self._time_limit - self._seconds
        if left <= 0.0:
            raise TimeLimitReached(
                f"the answers took {self._seconds:.1f} s, the turn has {self._time_limit:g} s"
            )
        return left


def _by_number(recorded: Sequence[RecordedCall]) -> dict[int, list[RecordedCall]]:
    grouped: dict[int, list[RecordedCall]] = defaultdict(list)
    for call in recorded:
        grouped[call.call_number].append(call)
    return dict(grouped)
