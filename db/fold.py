"""What the recorder asks of a fold, which turns finished games into ratings, and what it stores.

The formula is a rating system's and no part of the database. A fold is pure: the same games in the
same order give the same bits, live or in a rebuild, because every step goes through the mu and
sigma that are stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from db.faults import first_line
from db.models.columns import clean_text

# Characters of what a rating system raised.
_LONGEST = 300

RatedSeat = tuple[int, int, int]
"""A seat as a rating system sees it: (agent_id, team, rank)."""

Skill = tuple[float, float]
"""(mu, sigma)."""


class RatedGame(Protocol):
    """What a fold makes of one game: the ratings after it of every agent in it, who `won` and who
    `lost` (the others drew), and whether it was `drawn`, without a single best team."""

    @property
    def ratings(self) -> Mapping[int, Skill]: ...
    @property
    def won(self) -> Collection[int]: ...
    @property
    def lost(self) -> Collection[int]: ...
    @property
    def drawn(self) -> bool: ...


class Fold(Protocol):
    """A rating system as a recorder calls it: the pools that it moves are those of `system`."""

    @property
    def system(self) -> str: ...

    def initial(self) -> Skill:
        """The rating of an agent that has not played."""
        ...

    def play(
        self, seats: Sequence[RatedSeat], ratings: Mapping[int, Skill], games: int, draws: int
    ) -> RatedGame:
        """Rate one game. `ratings` holds its agents in order of first seat; `games` and `draws` are
        what the pool counts so far.

        Whatever this raises stops the pool before this game; the game's result is kept.
        """
        ...


class PoolKey(NamedTuple):
    """What a pool is of: the games of an environment, or of one tournament in it, by a system."""

    environment_id: int
    tournament_id: int | None
    system: str


@dataclass(frozen=True, slots=True)
class StoredStanding:
    """An agent's rating in a pool and its games there. A game that it both won and lost, in
    several seats, is a draw."""

    mu: float
    sigma: float
    games: int = 0
    wins: int = 0
    draws: int = 0
    losses: int = 0


@dataclass(frozen=True, slots=True)
class PoolStop:
    """Why a pool's ratings end before a game: its `fold_index`, and what the system raised. The
    games from there on are not rated until the system is mended and the pool rebuilt."""

    fold_index: int
    reason: str

    @classmethod
    def at(cls, fold_index: int, game_id: int, error: Exception) -> PoolStop:
        """A system has raised an error at a game."""
        said = clean_text(f"game {game_id}: {type(error).__name__}: {first_line(error)}")
        return cls(fold_index, said if len(said) <= _LONGEST else f"{said[: _LONGEST - 3]}...")


@dataclass(frozen=True, slots=True)
class StoredPool:
    """A pool as its games make it: `draws` of `games` had no single best team."""

    games: int = 0
    draws: int = 0
    standings: Mapping[int, StoredStanding] = field(default_factory=dict)
    stop: PoolStop | None = None


def numbered(teams: Sequence[str | None]) -> list[int]:
    """Team numbers in order of first seat; a player without a team is a team of its own."""
    numbers: dict[str, int] = {}
    result = []
    count = 0
    for team in teams:
        if team is None:
            result.append(count)
            count += 1
            continue
        if team not in numbers:
            numbers[team] = count
            count += 1
        result.append(numbers[team])
    return result
