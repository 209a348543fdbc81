"""How well the games of a schedule connect the agents, whatever their results.

Take what every game compares (`arena.matchmakers.gain.ranking`) as if all games told the same: that
gives the agents' skills a precision matrix, the Laplacian of the graph of meetings where two play.
The variance that it leaves to the difference of two agents is their effective resistance (Klein and
Randić, "Resistance distance", 1993). Where no pair has more than r, the games across any cut of the
graph carry at least 1/r together, because one agent of some pair is on either side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.core import Casting, Pairing
from arena.core.arrays import Floats
from arena.matchmakers.gain import ranking, variances

LEAST = 0.25
"""A pair is joined at least this well, in parts of what the same games would give every pair if
they were spread evenly."""

AT_FIRST = 0.5
"""The precision that an agent has before any game: of one game against a known opponent. Until a
few games were played for each agent there is nothing to be mended."""


class Connectivity:
    """Counts a schedule, which may only grow; another one is counted from its beginning."""

    def __init__(self, agents: Sequence[int], casting: Casting) -> None:
        self._position = {agent: at for at, agent in enumerate(agents)}
        self._casting = casting
        self._begin()

    def _begin(self) -> None:
        self._left = np.eye(len(self._position)) / AT_FIRST
        self._told = 0.0
        self._counted = 0
        self._last: Pairing | None = None

    def catch_up(self, scheduled: Sequence[Pairing]) -> None:
        """Count what is new in a schedule; begin again if it does not go on from the last one."""
        if self._counted and scheduled[self._counted - 1 : self._counted] != [self._last]:
            self._begin()
        for pairing in scheduled[self._counted :]:
            self._add(pairing)
            self._counted += 1
            self._last = pairing

    def _add(self, pairing: Pairing) -> None:
        rows, seats, weight = compared(pairing, self._position, self._casting)
        # What a game says of the pool as a whole cannot be told from what its sides are worth.
        rows = (rows - rows.mean(axis=1, keepdims=True)) * np.sqrt(weight / seats)[:, None]
        reach = rows @ self._left
        self._left -= reach.T @ np.linalg.solve(np.eye(len(rows)) + reach @ rows.T, reach)
        self._told += float((rows**2).sum())

    def resistances(self) -> Floats:
        """(n, n): of every pair, in parts of what an even schedule of these games leaves."""
        even = 2.0 / (self._told / max(1, len(self._position) - 1) + AT_FIRST)
        found: Floats = variances(self._left) / even
        return found


def compared(
    pairing: Pairing, position: dict[int, int], casting: Casting
) -> tuple[Floats, Floats, Floats]:
    """What one game compares: (r, n) the seats of every agent on one side less those on the other,
    and `Comparisons.seats` and `weight` (r,). `position` is where an agent stands among n."""
    found = ranking(casting(pairing.seed))
    weights = np.zeros((len(position), len(found.rows)))
    np.add.at(weights, [position[agent] for agent in pairing.agents], found.rows.T)
    return weights.T, found.seats, found.weight
