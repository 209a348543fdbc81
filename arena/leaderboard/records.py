"""Counts what agents have won, in which roles and teams, and how often an error decided it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.core.arrays import Integers
from arena.stats.proportions import Interval, wilson
from db.queries.played import NOTHING, PlayedGames

_LOST, _DRAWN, _WON = 0, 1, 2


@dataclass(frozen=True, slots=True)
class WinRecord:
    """Seats by how their games ended for them: `wins`, `draws` and `losses`, in so many `games`.
    An agent with several seats in a game may have won it in some and lost it in others.

    `squared` is the sum over the games of the square of its number of seats.
    """

    wins: int = 0
    draws: int = 0
    losses: int = 0
    games: int = 0
    squared: int = 0

    @classmethod
    def of_games(cls, wins: int = 0, draws: int = 0, losses: int = 0) -> WinRecord:
        """Games with one seat each."""
        games = wins + draws + losses
        return cls(wins, draws, losses, games, games)

    @property
    def seats(self) -> int:
        """All seats."""
        return self.wins + self.draws + self.losses

    @property
    def share(self) -> float | None:
        """The share of the seats won, a draw counting half; None without seats."""
        return (self.wins + self.draws / 2) / self.seats if self.seats else None

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the share; None without seats.

        Seats of one game count as if they always ended alike, which is the least that they can
        say: of as many games as Kish's effective size of the seats (1965).
        """
        return None if self.share is None else wilson(self.share, self.seats**2 / self.squared)


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """An agent's games. Errors decided some: `own` an error of its own, `others` another's. Out of
    `out` games the rules threw it for an error of its own, whoever won."""

    whole: WinRecord
    teams: dict[str, WinRecord]
    roles: dict[str, WinRecord]
    own: int = 0
    others: int = 0
    out: int = 0

    @classmethod
    def empty(cls) -> AgentRecord:
        """No games."""
        return cls(WinRecord(), {}, {})


def records(
    played: PlayedGames, owners: Integers | None = None, seats: NDArray[np.bool_] | None = None
) -> dict[int, AgentRecord]:
    """The record of every owner: the agents, unless `owners` names another for each seat; only
    in some `seats` when these are given."""
    owners = played.agents if owners is None else owners
    if not len(owners):
        return {}
    games = played.seats()
    results = _results(played, games)
    kept = np.ones(len(owners), dtype=bool) if seats is None else seats
    errors = played.errors[games]
    whole = _tallies(owners[kept], np.zeros(int(kept.sum()), np.int64), games[kept], results[kept])
    by_team = _parts(owners, played.sides, games, results, kept)
    by_role = _parts(owners, played.roles, games, results, kept)
    erred = kept & (errors == 1)
    own = _counted(owners[erred & (played.decided == 1)], games[erred & (played.decided == 1)])
    either = _counted(owners[erred], games[erred])
    thrown = kept & (played.thrown_out == 1)
    out = _counted(owners[thrown], games[thrown])
    found = {}
    for (owner, _), tally in whole.items():
        found[owner] = AgentRecord(
            whole=tally,
            teams=_of(owner, by_team, played.team_names),
            roles=_of(owner, by_role, played.role_names),
            own=own.get(owner, 0),
            others=either.get(owner, 0) - own.get(owner, 0),
            out=out.get(owner, 0),
        )
    return found


def _results(played: PlayedGames, games: Integers) -> Integers:
    """How each seat's game ended for it: first alone is won, first with others drawn."""
    best = np.minimum.reduceat(played.ranks, played.starts)[games]
    first = played.ranks == best
    # The first team's number, lowest and highest: the same where it is alone.
    low = np.minimum.reduceat(np.where(first, played.teams, np.iinfo(np.int64).max), played.starts)
    high = np.maximum.reduceat(np.where(first, played.teams, -1), played.starts)
    alone = (low == high)[games]
    return np.where(first, np.where(alone, _WON, _DRAWN), _LOST)


def _tallies(
    owners: Integers, parts: Integers, games: Integers, results: Integers
) -> dict[tuple[int, int], WinRecord]:
    """By (owner, part): the owner's seats in the part, and the games in which they are."""
    if not len(owners):
        return {}
    order = np.lexsort((games, parts, owners))
    owners, parts, games, results = owners[order], parts[order], games[order], results[order]
    same = (owners[1:] == owners[:-1]) & (parts[1:] == parts[:-1])
    new = np.concatenate([[True], ~(same & (games[1:] == games[:-1]))])
    in_game = np.diff(np.append(np.flatnonzero(new), len(new)))
    group = np.flatnonzero(np.concatenate([[True], ~same]))
    first_game = np.cumsum(new)[group] - 1
    counts = [
        *(np.add.reduceat(results == result, group) for result in (_WON, _DRAWN, _LOST)),
        np.add.reduceat(new.astype(np.int64), group),
        np.add.reduceat(in_game**2, first_game),
    ]
    return {
        (int(owner), int(part)): WinRecord(*map(int, tally))
        for owner, part, *tally in zip(owners[group], parts[group], *counts, strict=True)
    }


def _parts(
    owners: Integers,
    parts: Integers,
    games: Integers,
    results: Integers,
    kept: NDArray[np.bool_],
) -> dict[tuple[int, int], WinRecord]:
    known = kept & (parts != NOTHING)
    return _tallies(owners[known], parts[known], games[known], results[known])


def _of(
    owner: int, tallies: dict[tuple[int, int], WinRecord], names: tuple[str, ...]
) -> dict[str, WinRecord]:
    return {
        name: tallies[owner, part] for part, name in enumerate(names) if (owner, part) in tallies
    }


def _counted(owners: Integers, games: Integers) -> dict[int, int]:
    """How many different games each owner has."""
    if not len(owners):
        return {}
    pairs = np.unique(np.stack([owners, games]), axis=1)
    found, counts = np.unique(pairs[0], return_counts=True)
    return {int(owner): int(count) for owner, count in zip(found, counts, strict=True)}
