"""Which agents games connect: only their skills can be compared."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from arena.core import Games
from arena.ratings.fit.design import Seats, seats


def components(games: Games) -> list[frozenset[int]]:
    """The pools of agents that met, directly or through others: agent_ids that a game sets against
    each other or lets play together, joined; the largest first. Skills compare within one only."""
    return pools_of(seats(games))


def pools_of(played: Seats) -> list[frozenset[int]]:
    """The same of seats that are checked already."""
    if not len(played.agents):
        return []
    # Who sits beside each other in a game: all of it hangs together by that.
    beside = np.flatnonzero(played.game[1:] == played.game[:-1])
    ends = (played.agent[beside], played.agent[beside + 1])
    met = sparse.csr_array((np.ones(len(beside)), ends), shape=(len(played.agents),) * 2)
    count, label = csgraph.connected_components(met, directed=False)
    pools = [frozenset(played.agents[label == pool].tolist()) for pool in range(count)]
    return sorted(pools, key=lambda pool: (-len(pool), min(pool)))
