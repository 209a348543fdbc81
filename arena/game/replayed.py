"""The turns of a task that are on record: compared where a live game would write.

They are played again from the record: the observation, every request, the action and what the rules
made of it must be what they were. The first turn that is not whole goes live.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from arena.core import CallAnswer, CallIntent, DivergenceError, Observation
from arena.core.memory import Memory
from arena.core.tools import ToolUse
from arena.game.journal import LiveLog, Opened, Refused, TurnTaken, added
from arena.game.logs import Acted, TurnLog
from arena.llm.recorded import RecordedCall, text_difference
from arena.llm.tool_turn import ToolTurn
from arena.llm.turn import TurnLLM


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """One turn on record. `action` is None while the player has not acted; `submitted` is what the
    rules were given; `calls` are the attempts that it was played with, `tools` the calls of
    tools, both in order; `memory` is what the player was given, in its first turn."""

    turn_number: int
    player_index: int
    observation: str
    observed_at: datetime
    action: str | None = None
    submitted: str | None = None
    lapse: str | None = None
    target: str | None = None
    how: str | None = None
    invalid: bool = False
    acted_at: datetime | None = None
    response_time_ms: float | None = None
    calls: tuple[RecordedCall, ...] = ()
    tools: tuple[ToolUse, ...] = ()
    memory: Memory | None = None

    @property
    def place(self) -> str:
        """The turn for messages."""
        return f"turn {self.turn_number}, player {self.player_index}"

    @property
    def tokens(self) -> int | None:
        """What its calls took together; None where no provider said."""
        total = None
        for call in self.calls:
            total = added(total, call.completion.usage.total)
        return total


class GameRecord:
    """The recorded turns of one game while it is played again: `done` of them were the same."""

    def __init__(self, turns: Sequence[RecordedTurn]) -> None:
        self.turns = turns
        self.done = 0
        self.handle: TurnLLM | ToolTurn | None = None
        self._refused: set[int] = set()

    def opened(self, observation: Observation) -> RecordedTurn:
        """The recorded turn of this observation. Raises DivergenceError."""
        recorded = self.turns[observation.turn_number]
        if observation.player_index != recorded.player_index:
            raise DivergenceError(f"{recorded.place}: player {observation.player_index} is up now")
        if observation.text != recorded.observation:
            difference = text_difference(recorded.observation, observation.text)
            raise DivergenceError(f"{recorded.place}: the observation differs {difference}")
        return recorded

    def calls(self, turn_number: int) -> Sequence[RecordedCall]:
        """The attempts of a turn, in order; none for a turn that is not on record."""
        return self.turns[turn_number].calls if turn_number < len(self.turns) else ()

    def tools(self, turn_number: int) -> Sequence[ToolUse]:
        """The calls of tools of a turn, in order; none for a turn that is not on record."""
        return self.turns[turn_number].tools if turn_number < len(self.turns) else ()

    def place(self, turn_number: int) -> str:
        """A turn for messages."""
        if turn_number < len(self.turns):
            return self.turns[turn_number].place
        return f"turn {turn_number}"

    def acted(self, turn: RecordedTurn, acted: Acted) -> None:
        """Compare an action, and count the turn as replayed. Raises DivergenceError."""
        for what, before, now in (
            ("the action", turn.action or "", acted.action.text),
            ("what the rules are given", turn.submitted or "", acted.submitted),
        ):
            if before != now:
                difference = text_difference(before, now)
                raise DivergenceError(f"{turn.place}: {what} differs {difference}")
        if self.handle is not None and (unasked := self.handle.unasked()):
            raise DivergenceError(f"{turn.place}: {unasked} recorded calls were not asked")
        for what, was, is_ in (
            ("lapse", turn.lapse, acted.lapse),
            ("target", turn.target, acted.target),
            ("way in which the target was read", turn.how, acted.how),
        ):
            if was != is_:
                raise DivergenceError(
                    f"{turn.place}: the {what} is {is_ or 'none'} now, was {was or 'none'}"
                )
        self.done += 1

    def refuse(self, turn: RecordedTurn) -> None:
        """The rules refused the action of this turn now."""
        self._refused.add(turn.turn_number)

    def settle(self) -> None:
        """What the rules made of the last replayed action must be what they made of it when it was
        played. Raises DivergenceError."""
        if self.done:
            recorded = self.turns[self.done - 1]
            refused = recorded.turn_number in self._refused
            if refused != recorded.invalid:
                said = ("accepted", "refused")
                raise DivergenceError(
                    f"{recorded.place}: the action is {said[refused]} now, "
                    f"was {said[recorded.invalid]}"
                )


@dataclass(frozen=True, slots=True)
class ReplayedTurn:
    """One turn of a record (`arena.game.logs.TurnLog`): no call may be made in it.

    It is written into `copy`, if there is one: the game is another's. `last` is the log of the
    game itself where this is the last turn on record: whether the rules refused its action may not
    have been written any more, and is written then.
    """

    record: GameRecord
    recorded: RecordedTurn
    copy: LiveLog | None = None
    last: LiveLog | None = None

    async def intend(self, intent: CallIntent) -> None:
        raise DivergenceError(f"{self.recorded.place}: a model was about to be called")

    async def answer(self, answer: CallAnswer) -> None:
        raise DivergenceError(f"{self.recorded.place}: a model was called")

    async def tool(self, use: ToolUse) -> None:
        raise DivergenceError(f"{self.recorded.place}: a tool was called")

    async def acted(self, acted: Acted) -> None:
        turn, copy = self.recorded, self.copy
        self.record.acted(turn, acted)
        if copy is not None:
            acted_at = turn.acted_at or turn.observed_at
            copy.held += [
                Opened(*self._key, turn.observation, turn.observed_at),
                TurnTaken(*self._key, acted, acted_at, turn.response_time_ms),
            ]

    def refused(self) -> None:
        if self.last is not None and not self.recorded.invalid:
            self.last.held.append(Refused(*self._key))
            return
        self.record.refuse(self.recorded)
        if self.copy is not None:
            self.copy.held.append(Refused(*self._key))

    async def flush(self) -> None:
        """Nothing was taken: what is held goes with what comes next."""

    @property
    def _key(self) -> tuple[int, int]:
        return self.recorded.turn_number, self.recorded.player_index


class TaskLog:
    """The log of a task's game (`arena.game.logs.GameLog`): its record as far as it goes, then the
    live log; without one, the record must hold the whole game. With `copied` the record is another
    game's, and is written into this one's."""

    def __init__(self, record: GameRecord, live: LiveLog | None, *, copied: bool) -> None:
        self._record = record
        self._live = live
        self._copied = copied

    def turn(self, observation: Observation) -> TurnLog:
        """The log of the turn that this observation opens, or had opened. Raises
        DivergenceError."""
        self._record.settle()
        live, turns = self._live, self._record.turns
        if observation.turn_number >= len(turns):
            if live is None:
                raise DivergenceError(
                    f"turn {observation.turn_number}: the game goes on, the record ends"
                )
            return live.turn(observation)
        recorded = self._record.opened(observation)
        if self._copied:
            return ReplayedTurn(self._record, recorded, copy=live)
        if live is not None and recorded.action is None:
            return live.turn(observation, opened=True, tokens=recorded.tokens)
        last = recorded.turn_number + 1 == len(turns)
        return ReplayedTurn(self._record, recorded, last=live if last else None)
