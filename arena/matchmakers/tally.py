"""Counts of a schedule: how often each agent has played, met each other, and been what.

Counts of what was scheduled, results or not: they decide who is next where skill does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

import numpy as np

from arena.core import Casting, Pairing, Part
from arena.core.arrays import Integers


class Tally:
    """`played` (n,) counts games, `met` (n, n) games of two agents together; both by the agents'
    position in `agents`. A game in which an agent has several seats counts once."""

    def __init__(self, agents: Sequence[int], casting: Casting) -> None:
        self.position = {agent: at for at, agent in enumerate(agents)}
        self._casting = casting
        self._begin()

    def _begin(self) -> None:
        n = len(self.position)
        self.played: Integers = np.zeros(n, np.int64)
        self.met: Integers = np.zeros((n, n), np.int64)
        self._been: dict[Hashable, Integers] = {}
        self._counted = 0
        self._last: Pairing | None = None

    def catch_up(self, scheduled: Sequence[Pairing]) -> None:
        """Count what is new in a schedule; begin again if it does not go on from the last one."""
        if self._counted and scheduled[self._counted - 1 : self._counted] != [self._last]:
            self._begin()
        for pairing in scheduled[self._counted :]:
            parts = self._casting(pairing.seed)
            self.add(
                [
                    (self.position[agent], what(parts, player))
                    for player, agent in enumerate(pairing.agents)
                ]
            )
            self._counted += 1
            self._last = pairing

    def add(self, seats: Sequence[tuple[int, Hashable]]) -> None:
        """Count one game: the position of every agent in it and what it is there."""
        present = sorted({at for at, _ in seats})
        self.played[present] += 1
        self.met[np.ix_(present, present)] += 1
        self.met[present, present] -= 1
        for at, part in seats:
            self._been_in(part)[at] += 1

    def been(self, parts: Sequence[Part], players: Sequence[int]) -> Integers:
        """(n, len(players)): how often each agent has been what these players are in a game."""
        return np.stack([self._been_in(what(parts, player)) for player in players], axis=1)

    def seat(
        self, drawn: Sequence[int], parts: Sequence[Part], players: Sequence[int], rng: Random
    ) -> list[int]:
        """The agents' positions in the order of these players, so that everybody is most what it
        has been least, relative to how often that comes up."""
        from scipy.optimize import linear_sum_assignment  # takes half a second to load

        drawn = rng.sample(list(drawn), len(drawn))
        held = [what(parts, player) for player in range(len(parts))]
        seats = np.array([held.count(what(parts, player)) for player in players])
        cost = (2 * self.been(parts, players)[drawn] + 1) / seats
        row, column = linear_sum_assignment(cost)
        placed = dict(zip(column.tolist(), row.tolist(), strict=True))
        return [drawn[placed[slot]] for slot in range(len(drawn))]

    def _been_in(self, part: Hashable) -> Integers:
        return self._been.setdefault(part, np.zeros(len(self.position), np.int64))


def what(parts: Sequence[Part], player: int) -> Hashable:
    """What a player is, for counting: its role, else its team, else its place at the table."""
    part = parts[player]
    return part.role or part.team or player


def first_players(plan: Sequence[int], slots: int) -> list[int]:
    """For every slot of a block, the first player that its agent is in a game of this plan."""
    return [plan.index(slot) for slot in range(slots)]
