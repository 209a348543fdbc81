"""What an agent carries from one game of a tournament into its next: plain data, bounded.

A game is given the memory of each of its seats before it begins, and the first turn of the seat has
it on record, so that it is played again from its own record alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from arena.core.agents import LLM

MEMORY = "memory"
"""Under this name a turn's reading has the memory: what was `given`, and what is `kept`. So has
that of the call in which an agent writes about its last game, whose purpose begins so."""


def writing_purpose(player_index: int) -> str:
    """The purpose of the call in which the agent of a seat writes about its last game."""
    return f"{MEMORY} {player_index}"


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """Something that an agent wrote down about a game.

    `importance` is from 1 to 10, by the agent itself. `place` is that of the game in the schedule;
    `written` counts the games that the agent had finished when it wrote it. `shown` is in how many
    games it was shown to the agent, `last_shown` the latest of them, counted as `written` is;
    `expires` is after how many finished games it is forgotten, None for never.
    """

    text: str
    importance: int
    place: int
    written: int
    shown: int = 0
    last_shown: int | None = None
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class LastGame:
    """The game before, about which the agent has not written yet: its `place` in the schedule,
    what the agent had `seen` by its last turn, the end of it, and how the game came out."""

    place: int
    seen: str
    result: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What an agent knows of earlier games when one begins. `games` is how many of them it has
    finished; `last` is None where there is nothing to write about."""

    games: int = 0
    points: tuple[KeyPoint, ...] = ()
    last: LastGame | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Memory:
        """What `plain` was made of. Raises KeyError or TypeError for anything else."""
        last = plain["last"]
        return cls(
            plain["games"],
            tuple(KeyPoint(**point) for point in plain["points"]),
            None if last is None else LastGame(**last),
        )


def memory_given(reading: Any) -> Memory | None:
    """The memory that a seat was given, from the reading of its first turn; None where it was
    given none."""
    return _read(reading, "given")


def memory_kept(reading: Any) -> Memory | None:
    """The memory as it was after the first turn of a seat; None where it has none."""
    return _read(reading, "kept")


def _read(reading: Any, name: str) -> Memory | None:
    if not isinstance(reading, Mapping) or not isinstance(reading.get(MEMORY), Mapping):
        return None
    return Memory.of(reading[MEMORY][name])


@runtime_checkable
class TakesMemory(Protocol):
    """What an agent has besides that remembers its earlier games. Games of a tournament with such
    an agent are played one after the other, in the order of the schedule."""

    def remember(self, memory: Memory) -> None:
        """Called once, before `act`. The reading of the first turn has `memory` with what was
        `given` and what is `kept`, both `plain()`."""
        ...


@runtime_checkable
class WritesLast(TakesMemory, Protocol):
    """An agent that remembers its games, and writes also about the last one."""

    async def write(self, llm: LLM) -> Memory:
        """Called once in the place of `act`, when the last game of the tournament has ended: what
        is known after it. One call, or none."""
        ...
