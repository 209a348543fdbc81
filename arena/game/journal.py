"""Where the records of a game go: what is appended, as plain data, and the log of a live game.

A turn is appended in as few pieces as the promises allow. Its opening goes with its first intent,
before the request leaves; its last answer goes with its action, before the environment is stepped.
A failed attempt is appended at once, because a long wait may follow it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

from arena.core import Action, CallAnswer, CallIntent, Observation
from arena.core.tools import ToolUse
from arena.game.logs import Acted


@dataclass(frozen=True, slots=True)
class Opened:
    """A player was shown `observation`: everything it has seen so far."""

    turn_number: int
    player_index: int
    observation: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Intended:
    """An attempt at a provider is about to be sent."""

    turn_number: int
    player_index: int
    intent: CallIntent


@dataclass(frozen=True, slots=True)
class Answered:
    """An attempt at a provider has ended."""

    turn_number: int
    player_index: int
    answer: CallAnswer


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool is about to be run, or has been: how it ended is in its `use`."""

    turn_number: int
    player_index: int
    use: ToolUse


@dataclass(frozen=True, slots=True)
class TurnTaken:
    """A player has taken its turn. `response_time_ms` is what that took, with
    the time of a person who answered while the game was suspended; `tokens` what its calls took
    together; None where no provider said."""

    turn_number: int
    player_index: int
    acted: Acted
    acted_at: datetime
    response_time_ms: float | None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The rules refused the action of this turn."""

    turn_number: int
    player_index: int


JournalEntry = Opened | Intended | Answered | ToolUsed | TurnTaken | Refused


class Journal(Protocol):
    """Where one game's entries are kept."""

    async def append(self, *entries: JournalEntry) -> None:
        """Returns when all of them are durable. Raises RecordError when they cannot be."""
        ...

    def wanted(self) -> bool:
        """Whether the run still wants the game to go on; asked before every turn."""
        ...


@dataclass(frozen=True, slots=True)
class RecordedElsewhere:
    """How a game is recorded by the process that plays it: in the `recording` of its run, as the
    game of this id."""

    recording: Recording
    game_id: int


class Recording(Protocol):
    """What another process needs to record games of a run itself: plain data, equal for all games
    of the run."""

    def opened(self, worker: str) -> AbstractAsyncContextManager[Callable[[int], Journal]]:
        """In that process, which is the `worker` of this name: makes journals of games by their
        ids."""
        ...


@runtime_checkable
class Delegates(Protocol):
    """A journal whose game can be recorded by the process that plays it."""

    @property
    def elsewhere(self) -> RecordedElsewhere | None:
        """How; None where only this process can."""
        ...

    def count(self, *entries: JournalEntry) -> None:
        """Take what was recorded there, as far as `told` tells it."""
        ...


def told(entries: Sequence[JournalEntry]) -> list[JournalEntry]:
    """What is counted of entries that another process has recorded: without their texts."""
    found: list[JournalEntry] = []
    for entry in entries:
        match entry:
            case Intended(intent=intent):
                found.append(replace(entry, intent=replace(intent, messages=(), request={})))
            case Answered(answer=answer):
                found.append(replace(entry, answer=replace(answer, text=None, response=None)))
            case ToolUsed(use=use):
                result = None if use.result is None else ""
                found.append(replace(entry, use=replace(use, arguments="", result=result)))
            case TurnTaken(acted=acted):
                found.append(replace(entry, acted=Acted(Action(""), "", acted.lapse)))
            case _:
                pass
    return found


class LiveLog:
    """The log of a game that is played into a journal (`arena.game.logs.GameLog`). What is `held`
    is appended with whatever comes next."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.held: list[JournalEntry] = []

    def turn(
        self, observation: Observation, *, opened: bool = False, tokens: int | None = None
    ) -> LiveTurn:
        """The log of the turn that this observation opens, or has `opened` already, with the
        `tokens` of its calls so far."""
        return LiveTurn(self, observation, opened=opened, tokens=tokens)

    async def append(self, *entries: JournalEntry) -> None:
        """Append what is held, then these."""
        held, self.held = self.held, []
        if held or entries:
            await self.journal.append(*held, *entries)


class LiveTurn:
    """The log of one turn (`arena.game.logs.TurnLog`)."""

    __slots__ = (
        "_given_ms",
        "_key",
        "_log",
        "_observation",
        "_observed_at",
        "_opened",
        "_started",
        "_tokens",
    )

    def __init__(
        self, log: LiveLog, observation: Observation, *, opened: bool, tokens: int | None
    ) -> None:
        self._log = log
        self._observation = observation
        self._key = (observation.turn_number, observation.player_index)
        self._observed_at = datetime.now(UTC)
        self._started = time.perf_counter()
        self._opened = opened
        self._tokens = tokens
        self._given_ms = 0.0

    async def intend(self, intent: CallIntent) -> None:
        self._open()
        await self._log.append(Intended(*self._key, intent))

    async def answer(self, answer: CallAnswer) -> None:
        self._tokens = added(self._tokens, answer.usage.total)
        if answer.request_sent_at < self._observed_at:
            # A person answered while the game was suspended.
            self._given_ms += answer.total_ms
        self._log.held.append(Answered(*self._key, answer))
        if answer.error_class is not None:
            await self._log.append()

    async def tool(self, use: ToolUse) -> None:
        self._log.held.append(ToolUsed(*self._key, use))
        if use.result is None:
            await self._log.append()

    async def acted(self, acted: Acted) -> None:
        self._open()
        took = round((time.perf_counter() - self._started) * 1000 + self._given_ms)
        await self._log.append(TurnTaken(*self._key, acted, datetime.now(UTC), took, self._tokens))

    def refused(self) -> None:
        self._log.held.append(Refused(*self._key))

    async def flush(self) -> None:
        self._open()
        await self._log.append()

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self._log.held.append(Opened(*self._key, self._observation.text, self._observed_at))


def added(before: int | None, tokens: int | None) -> int | None:
    """A sum of tokens in which None means unknown."""
    return before if tokens is None else (before or 0) + tokens
