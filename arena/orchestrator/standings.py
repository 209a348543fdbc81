"""The live standings of a run: ratings folded in schedule order, the rest provisionally.

A game that finished before one of its predecessors cannot move the standings that pairings are
chosen from. Here it is folded over a copy, so that the screen shows what is known, and counted, so
that it says so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from arena.core import Pairing, RatedPlayer, Standings
from arena.core.ratings import MU, SIGMA
from arena.ratings.online.live import draw_probability
from arena.ratings.sides import LiveSides
from arena.ratings.sides_fold import SidesState

# The table is shown while games are played: it takes no more than this part of the time.
_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class LiveStanding:
    """One agent's place: its rating relative to the mean of all agents, who have 25 together, the
    standard deviation of that, and its games, provisional ones included."""

    agent_id: int
    name: str
    mu: float
    sigma: float
    games: int


@dataclass(frozen=True, slots=True)
class Played:
    """A game with a result: its players in order of player_index, and their roles."""

    players: tuple[RatedPlayer, ...]
    roles: tuple[str, ...]


def nothing_known(agents: Sequence[int], scheduled: Sequence[Pairing] = ()) -> Standings:
    """Standings after games that all went without a result."""
    n = len(agents)
    return Standings(
        agents=tuple(agents),
        mean=np.zeros(n),
        covariance=np.diag(np.full(n, SIGMA**2)),
        dollars=np.full(n, np.nan),
        settled=len(scheduled),
        scheduled=scheduled,
    )


@dataclass(slots=True)
class Folded:
    """The live ratings after the games of a schedule up to one place."""

    state: LiveSides | SidesState
    games: dict[int, int] = field(default_factory=dict)
    rated: int = 0
    drawn: int = 0

    def play(self, played: Played) -> None:
        """Move the ratings by one game."""
        self.state.play(played.players, played.roles, draw_probability(self.rated, self.drawn))
        self.rated += 1
        best = [player.team for player in played.players if player.rank == _best(played)]
        self.drawn += len(set(best)) > 1
        for agent in {player.agent_id for player in played.players}:
            self.games[agent] = self.games.get(agent, 0) + 1

    def copy(self) -> Folded:
        return Folded(self.state.copy(), dict(self.games), self.rated, self.drawn)


def _best(played: Played) -> int:
    return min(player.rank for player in played.players)


class LiveStandings:
    """Ratings of one tournament as its games settle, in whatever order they do."""

    def __init__(
        self, names: Mapping[int, str], place: int = 0, folded: Folded | None = None
    ) -> None:
        """`folded` is what the games before a `place` of the schedule have left; `begun` says at
        which it was taken up."""
        self._names = names
        self._folded = folded or Folded(LiveSides())
        self.begun = self._next = place
        self._settled: dict[int, Played | None] = {}
        self._shown: tuple[LiveStanding, ...] | None = None
        self._changed = False
        self._due = 0.0

    @property
    def place(self) -> int:
        """The first place of the schedule that is not folded yet."""
        return self._next

    @property
    def folded(self) -> Folded:
        """The live ratings after the games before that place."""
        return self._folded

    @property
    def waiting(self) -> int:
        """Finished games that wait for a predecessor."""
        return sum(1 for played in self._settled.values() if played)

    def settle(self, schedule_index: int, played: Played | None) -> None:
        """Take the result of a game; None for a game that will never have one."""
        self._settled[schedule_index] = played
        self._changed = True
        while self._next in self._settled:
            if ready := self._settled.pop(self._next):
                self._folded.play(ready)
            self._next += 1

    def shown(self) -> tuple[LiveStanding, ...]:
        """The table, to be looked at often: that of a moment ago where folding the waiting games
        again would take more than a fiftieth of the time."""
        now = time.perf_counter()
        if self._shown is None or (self._changed and now >= self._due):
            self._shown, self._changed = self.table(), False
            self._due = now + (time.perf_counter() - now) / _SHARE
        return self._shown

    def table(self) -> tuple[LiveStanding, ...]:
        """Every agent, best first; the waiting games are folded over a copy."""
        folded = self._folded
        if self._settled:
            folded = folded.copy()
            for index in sorted(self._settled):
                if played := self._settled[index]:
                    folded.play(played)
        agents = tuple(self._names)
        mean, covariance = folded.state.skills(agents)
        weights = np.eye(len(agents)) - 1.0 / len(agents)
        rating = MU + weights @ mean
        deviation = np.sqrt(np.maximum(np.diag(weights @ covariance @ weights), 0.0))
        rows = [
            LiveStanding(agent, name, float(mu), float(sigma), folded.games.get(agent, 0))
            for (agent, name), mu, sigma in zip(self._names.items(), rating, deviation, strict=True)
        ]
        return tuple(sorted(rows, key=lambda row: (-row.mu, row.agent_id)))
