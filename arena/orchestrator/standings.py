"""The live standings of a run: ratings folded in schedule order, the rest provisionally.

A game that finished before one of its predecessors cannot move a stored rating yet. Here it is
folded over a copy, so that the screen shows what is known, and counted, so that it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.core import RatedPlayer, Rating, RatingSystem


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent's place: rating and games, provisional ones included."""

    agent_id: int
    name: str
    mu: float
    sigma: float
    games: int


class LiveStandings:
    """Ratings of one tournament as its games settle, in whatever order they do."""

    def __init__(self, system: RatingSystem, names: Mapping[int, str]) -> None:
        self._system = system
        self._names = names
        self._ratings = {agent_id: system.initial() for agent_id in names}
        self._games = dict.fromkeys(names, 0)
        self._count = 0
        self._draws = 0
        self._next = 0
        self._settled: dict[int, Sequence[RatedPlayer]] = {}

    @property
    def waiting(self) -> int:
        """Finished games that wait for a predecessor."""
        return sum(1 for players in self._settled.values() if players)

    def settle(self, schedule_index: int, players: Sequence[RatedPlayer]) -> None:
        """Take the result of a game; no players for a game that will never have one."""
        self._settled[schedule_index] = players
        while self._next in self._settled:
            ready = self._settled.pop(self._next)
            self._next += 1
            if ready:
                self._count, self._draws = self._fold(
                    ready, self._ratings, self._games, self._count, self._draws
                )

    def table(self) -> tuple[Standing, ...]:
        """Every agent, best mu first; the waiting games are folded over a copy."""
        ratings, games = dict(self._ratings), dict(self._games)
        count, draws = self._count, self._draws
        for index in sorted(self._settled):
            if players := self._settled[index]:
                count, draws = self._fold(players, ratings, games, count, draws)
        rows = [
            Standing(agent_id, self._names[agent_id], rating.mu, rating.sigma, games[agent_id])
            for agent_id, rating in ratings.items()
        ]
        return tuple(sorted(rows, key=lambda row: (-row.mu, row.agent_id)))

    def _fold(
        self,
        players: Sequence[RatedPlayer],
        ratings: dict[int, Rating],
        games: dict[int, int],
        count: int,
        draws: int,
    ) -> tuple[int, int]:
        """One game into these ratings; the pool's draw probability comes from the games before."""
        ratings.update(self._system.update(players, ratings, (draws + 0.5) / (count + 10)))
        for agent_id in {player.agent_id for player in players}:
            games[agent_id] += 1
        best = {player.team for player in players if player.rank == 0}
        return count + 1, draws + (len(best) != 1)
