"""Who wins by how much against whom: skills with an effect for each pair of agents that met.

The additive probit of `arena.ratings.probit`, with one more family of effects: what the first of
two agents has against the second beyond the difference of their skills. As with roles, either
pairs matter or they do not, which the games say.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import sparse

from arena.core import Games, Ratings
from arena.core.arrays import Floats
from arena.core.ratings import BETA
from arena.ratings.fit.counted import places_of
from arena.ratings.fit.design import seats
from arena.ratings.fit.likelihood import matches
from arena.ratings.fit.opponents import opponents
from arena.ratings.probit import (
    LATTICES,
    Effects,
    effects_of,
    posterior_of,
    reported,
    with_unseen,
)

MOST_AGENTS = 60
"""1,770 pairs: beyond, a fit with an effect for each takes minutes."""

PAIR = "pair"


@dataclass(frozen=True, slots=True)
class Advantages:
    """Every agent's advantage over every other in units of mu: `mean` (n, n) is antisymmetric, row
    against column, averaged over roles. `root` (n(n−1)/2, k) makes draws: the posterior covariance
    of the pairs above the diagonal, row by row, is root·root'."""

    agents: tuple[int, ...]
    mean: Floats
    root: Floats

    def draws(self, count: int, seed: int) -> Floats:
        """(count, n, n): matrices from the posterior; the same seed gives the same ones."""
        rng = np.random.default_rng(seed)
        off = rng.standard_normal((count, self.root.shape[1])) @ self.root.T
        n = len(self.agents)
        rows, columns = np.triu_indices(n, 1)
        found = np.zeros((count, n, n))
        found[:, rows, columns] = off
        return self.mean + found - found.transpose(0, 2, 1)


def advantages(games: Games) -> Advantages:
    """The advantages among all agents of the games, also of those that never met: of these the
    pair's effect has its prior.

    Raises ValueError for columns that make no games, none at all, or more than MOST_AGENTS agents.
    """
    played = seats(games)
    n = len(played.agents)
    if not 0 < n <= MOST_AGENTS:
        raise ValueError(f"found {n} agents: expected 1 to {MOST_AGENTS}")
    places = places_of(played)
    base = effects_of(played, places)
    met = opponents(played)
    teams = len(played.team_game)
    members = sparse.csr_array(
        (np.ones(len(played.team)), (played.team, places.seat)), shape=(teams, len(places.agent))
    )
    sizes = np.bincount(played.team, minlength=teams).astype(np.float64)
    # One place for each team of each game: the same agent is another opponent to another.
    spread = sparse.diags_array(1.0 / sizes) @ sparse.hstack([members @ base.spread, met.matrix])
    ids = [str(agent) for agent in played.agents.tolist()]
    named = zip(met.first.tolist(), met.second.tolist(), strict=True)
    terms = dict(base.terms)
    for one, other in named:
        terms[PAIR, ids[one], ids[other]] = len(terms)
    effects = Effects(terms, sparse.csr_array(spread))
    families = effects.families({**LATTICES, PAIR: LATTICES["agent:role"]})
    said = matches(played, played.team, teams)
    _, posterior = posterior_of(said, effects, families)
    known = with_unseen(terms, posterior, families, played)
    strange = float(posterior.weights @ posterior.sds[:, -1] ** 2) if len(met.first) else 0.0
    columns, out = reported(known.terms, played)
    ratings = Ratings(
        system=PAIR,
        terms=columns,
        mean=out @ known.mean,
        covariance=out @ (out @ known.covariance).T,
        noise=BETA,
        shares=played.shares if len(played.roles) > 1 else {},
        prior=known.prior,
    )
    agents = tuple(played.agents.tolist())
    skills = ratings.weights(agents)
    rows = []
    unseen = []
    for one, other in combinations(range(n), 2):
        row = skills[one] - skills[other]
        at = columns.get((PAIR, ids[one], ids[other]))
        if at is not None:
            row = row.copy()
            row[at] += 1.0
        rows.append(row)
        unseen.append(strange if at is None else 0.0)
    weights = np.array(rows).reshape(-1, len(ratings.mean))
    off = weights @ ratings.mean
    first, second = np.triu_indices(n, 1)
    mean = np.zeros((n, n))
    mean[first, second] = off
    values, vectors = np.linalg.eigh(ratings.covariance)
    root = weights @ (vectors * np.sqrt(np.maximum(values, 0.0)))
    return Advantages(agents, mean - mean.T, np.hstack([root, np.diag(np.sqrt(np.array(unseen)))]))
