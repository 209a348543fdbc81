"""A game's record, read back: it compares where another log would write, and goes on where it ends.

The turns that are on record are played again from it: the observation, every request, the action
and what the rules made of it must be what they were. The first turn that is not whole goes live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.core import CallAnswer, CallIntent, DivergenceError, Observation, Usage
from arena.game.logs import Acted, TurnLog
from arena.llm.recorded import RecordedCall, text_difference
from arena.llm.turn import TurnLLM
from arena.record.writing import GameRecorder
from db.queries.transcript import CallRow, TurnRow


class Record:
    """The turns of a game as a log (`arena.game.logs.GameLog`) that compares instead of writing.

    `calls` may be other turns than `turns`: those of the game that this one branches from, whose
    replies the turns before the branch were played with.
    """

    def __init__(self, turns: Sequence[TurnRow], calls: Sequence[TurnRow] | None = None) -> None:
        self.turns = turns
        self.done = 0
        self.handle: TurnLLM | None = None
        self._calls = turns if calls is None else calls
        self._refused: set[int] = set()

    def turn(self, observation: Observation) -> TurnLog:
        """The log of the turn that this observation opens. Raises DivergenceError when the record
        has ended, or was of another observation."""
        self.settle()
        return RecordedTurn(self, self.opened(observation))

    def opened(self, observation: Observation) -> TurnRow:
        """The recorded turn of this observation. Raises DivergenceError."""
        number = observation.turn_number
        if number >= len(self.turns):
            raise DivergenceError(f"turn {number}: the game goes on, the record ends")
        recorded = self.turns[number]
        if observation.player_index != recorded.player_index:
            raise DivergenceError(f"{place(recorded)}: player {observation.player_index} is up now")
        if observation.text != recorded.observation:
            difference = text_difference(recorded.observation, observation.text)
            raise DivergenceError(f"{place(recorded)}: the observation differs {difference}")
        return recorded

    def calls(self, turn_number: int) -> list[RecordedCall]:
        """The attempts of a turn, in order; none for a turn that is not on record."""
        if turn_number >= len(self._calls):
            return []
        return [recorded_call(call) for call in self._calls[turn_number].calls]

    def place(self, turn_number: int) -> str:
        """A turn for messages."""
        if turn_number >= len(self.turns):
            return f"turn {turn_number}"
        return place(self.turns[turn_number])

    def acted(self, turn: TurnRow, acted: Acted) -> None:
        """Compare an action, and count the turn as replayed. Raises DivergenceError."""
        for what, before, now in (
            ("the action", turn.action or "", acted.action.text),
            ("what the rules are given", turn.submitted or "", acted.submitted),
        ):
            if before != now:
                raise DivergenceError(
                    f"{place(turn)}: {what} differs {text_difference(before, now)}"
                )
        if self.handle is not None and (unasked := self.handle.unasked()):
            raise DivergenceError(f"{place(turn)}: {unasked} recorded calls were not asked")
        if turn.lapse != acted.lapse:
            raise DivergenceError(
                f"{place(turn)}: the lapse is {acted.lapse or 'none'} now, "
                f"was {turn.lapse or 'none'}"
            )
        self.done += 1

    def refuse(self, turn: TurnRow) -> None:
        """The rules refused the action of this turn now."""
        self._refused.add(turn.turn_number)

    def settle(self) -> None:
        """What the rules made of the last action must be what they made of it when it was played.
        Raises DivergenceError."""
        if self.done:
            recorded = self.turns[self.done - 1]
            refused = recorded.turn_number in self._refused
            if refused != recorded.invalid:
                said = ("accepted", "refused")
                raise DivergenceError(
                    f"{place(recorded)}: the action is {said[refused]} now, "
                    f"was {said[recorded.invalid]}"
                )


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """One turn of a record (`arena.game.logs.TurnLog`): no call may be made in it.

    `live` is the recorder's turn where this is the last one of a record that goes on: whether the
    rules refused its action may not have been written any more, and is written then.
    """

    record: Record
    recorded: TurnRow
    live: TurnLog | None = None

    async def intend(self, intent: CallIntent) -> None:
        raise DivergenceError(f"{place(self.recorded)}: a model was about to be called")

    async def answer(self, answer: CallAnswer) -> None:
        raise DivergenceError(f"{place(self.recorded)}: a model was called")

    async def acted(self, acted: Acted) -> None:
        self.record.acted(self.recorded, acted)

    def refused(self) -> None:
        if self.live is not None and not self.recorded.invalid:
            self.live.refused()
        else:
            self.record.refuse(self.recorded)

    async def flush(self) -> None:
        """Nothing is held back: what the recorder's turn holds goes with what comes next."""


class ContinuedLog:
    """The log of a game that is gone on with: its record as far as it goes, then the recorder."""

    def __init__(self, record: Record, recorder: GameRecorder) -> None:
        self.record = record
        self.recorder = recorder

    def turn(self, observation: Observation) -> TurnLog:
        """The log of the turn that this observation opens, or had opened. Raises
        DivergenceError."""
        self.record.settle()
        if observation.turn_number >= len(self.record.turns):
            return self.recorder.turn(observation)
        recorded = self.record.opened(observation)
        opened = self.recorder.turn(observation, opened=True, tokens=tokens(recorded))
        if recorded.action is None:
            return opened
        last = recorded.turn_number + 1 == len(self.record.turns)
        return RecordedTurn(self.record, recorded, opened if last else None)


def tokens(turn: TurnRow) -> int | None:
    """What the calls of a turn took together; None where no provider said."""
    known = [
        (call.prompt_tokens or 0) + (call.completion_tokens or 0)
        for call in turn.calls
        if call.prompt_tokens is not None or call.completion_tokens is not None
    ]
    return sum(known) if known else None


def place(turn: TurnRow) -> str:
    """A turn for messages."""
    return f"turn {turn.turn_number}, player {turn.player_index}"


def recorded_call(call: CallRow) -> RecordedCall:
    """An attempt as the agent's handle serves it."""
    return RecordedCall(
        call_index=call.call_index,
        call_number=call.call_number,
        request_hash=call.request_hash or "",
        messages=call.messages,
        answered=call.answered and call.error_class is None,
        text=call.text or "",
        finish_reason=call.finish_reason,
        usage=Usage(
            call.prompt_tokens,
            call.completion_tokens,
            call.cached_tokens,
            call.reasoning_tokens,
            call.cost,
        ),
        refused=was_refused(call.response),
        seconds=(call.total_ms or 0.0) / 1e3,
        error_class=call.error_class,
    )


def was_refused(response: object) -> bool:
    """Whether a recorded response says that the model declined to answer."""
    choices = response.get("choices") if isinstance(response, dict) else None
    return any("refusal" in choice for choice in choices or ())
