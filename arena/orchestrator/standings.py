"""The live standings of a run: ratings folded in schedule order, the rest provisionally.

A game that finished before one of its predecessors cannot move a stored rating yet. Here it is
folded over a copy, so that the screen shows what is known, and counted, so that it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

from db.fold import Pool, Rate, Seat, fold_game
from db.fold import Standing as Unplayed


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent's place: rating and games, provisional ones included."""

    agent_id: int
    name: str
    mu: float
    sigma: float
    games: int


class LiveStandings:
    """Ratings of one tournament as its games settle, in whatever order they do.

    `frontier` is the place in the schedule up to which `pool` has been folded already.
    """

    def __init__(self, rate: Rate, names: Mapping[int, str], pool: Pool, frontier: int) -> None:
        self._rate = rate
        self._names = names
        self._pool = pool
        self._next = frontier
        self._settled: dict[int, Sequence[Seat]] = {}

    @property
    def waiting(self) -> int:
        """Finished games that wait for a predecessor."""
        return sum(1 for seats in self._settled.values() if seats)

    def settle(self, schedule_index: int, seats: Sequence[Seat]) -> None:
        """Take the result of a game; no seats for a game that will never have one."""
        self._settled[schedule_index] = seats
        while self._next in self._settled:
            if ready := self._settled.pop(self._next):
                fold_game(self._pool, ready, self._rate)
            self._next += 1

    def table(self) -> tuple[Standing, ...]:
        """Every agent, best mu first; the waiting games are folded over a copy."""
        pool = self._pool
        if self._settled:
            pool = deepcopy(pool)
            for index in sorted(self._settled):
                if seats := self._settled[index]:
                    fold_game(pool, seats, self._rate)
        rows = []
        for agent_id, name in self._names.items():
            found = pool.standings.get(agent_id, Unplayed())
            rows.append(Standing(agent_id, name, found.mu, found.sigma, found.games))
        return tuple(sorted(rows, key=lambda row: (-row.mu, row.agent_id)))
