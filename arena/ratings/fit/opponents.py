"""Who sat against whom: one effect for each pair of agents, on top of what each brings along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from arena.core.arrays import Integers
from arena.ratings.fit.design import Seats, tidy


@dataclass(frozen=True, slots=True)
class Opponents:
    """Pairs of agents that met on different teams: `first` < `second` (pairs,) are positions in
    `Seats.agents`. `matrix` (teams, pairs) holds ½ for every seat of the first against a seat of
    the second, in the team of the first, and −½ in the team of the second: an effect is what the
    difference of the two teams' sums is higher by."""

    first: Integers
    second: Integers
    matrix: sparse.csr_array


def opponents(played: Seats) -> Opponents:
    """The pairs of the games, in order of agent."""
    ends = np.cumsum(played.sizes)
    ones, others = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for size in np.unique(played.sizes).tolist():
        opens = (ends - played.sizes)[played.sizes == size][:, None]
        first, second = np.triu_indices(size, 1)
        ones.append((opens + first).ravel())
        others.append((opens + second).ravel())
    one, other = np.concatenate(ones), np.concatenate(others)
    met = (played.team[one] != played.team[other]) & (played.agent[one] != played.agent[other])
    one, other = one[met], other[met]
    swapped = played.agent[one] > played.agent[other]
    one, other = np.where(swapped, other, one), np.where(swapped, one, other)
    n = len(played.agents)
    keys, at = np.unique(played.agent[one] * n + played.agent[other], return_inverse=True)
    half = np.full(len(one), 0.5)
    matrix = sparse.csr_array(
        (
            np.concatenate([half, -half]),
            (np.concatenate([played.team[one], played.team[other]]), np.tile(at, 2)),
        ),
        shape=(len(played.team_game), len(keys)),
    )
    return Opponents(keys // n, keys % n, tidy(matrix))
