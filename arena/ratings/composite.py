"""What kinds, models and prompts are worth apart: agents as sums of their parts, in one fit.

An agent's skill is ("kind", k) + ("model", m) + ("prompt", p) + a residual of its own; roles and
sides are those of `arena.ratings.probit`, and so is the likelihood. All effects have one joint
posterior, and the families' standard deviations are averaged over, weighted by evidence. How well a
part's own effect can be known depends on how many combinations it was seen in: their residuals do
not shrink with more games.

In the `Ratings` that come of it ("agent", id) is the agent's whole skill, its parts included, so
that skills, contrasts and predictions work as for any other system; ("kind", k), ("model", m) and
("prompt", p) are the parts' own effects. The terms ("unknown", family) stand for a member of the
family that has not been seen: mean 0, and the family's variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from arena.core import Games, Ratings
from arena.core.arrays import Floats
from arena.core.ratings import BETA
from arena.ratings.fit.counted import places_of
from arena.ratings.fit.design import Seats, Term, seats
from arena.ratings.fit.laplace import Lattice, log_normal
from arena.ratings.fit.likelihood import matches
from arena.ratings.probit import (
    LATTICES,
    effects_of,
    games_of,
    margin,
    notes,
    posterior_of,
    reported,
    symmetric,
    with_unseen,
)

PartName = Literal["kind", "model", "prompt"]
Combination = tuple[str, str, str]
PARTS: tuple[PartName, ...] = ("kind", "model", "prompt")

COMPOSITE_LATTICES: Mapping[str, Lattice] = {
    **LATTICES,
    "kind": log_normal(0.3 * BETA, 2.2, 1, 2, 1.2),
    "model": log_normal(0.4 * BETA, 2.0, 2, 2, 1.2),
    "prompt": log_normal(0.3 * BETA, 2.2, 1, 2, 1.2),
    # Either the parts add up, or they do not: with many games a residual that might be small would
    # keep the parts' intervals wide.
    "agent": {
        sd * BETA: weight
        for sd, weight in (
            (0.01, 0.5),
            (0.2, 0.2),
            (0.35, 0.17),
            (0.6, 0.1),
            (1.1, 0.03),
        )
    },
    "agent:environment": log_normal(0.3 * BETA, 3.0, 1, 1, 1.0),
    "agent:role": {
        sd * BETA: weight for sd, weight in ((0.01, 0.7), (0.1, 0.12), (0.25, 0.12), (0.6, 0.06))
    },
}


@dataclass(frozen=True, slots=True)
class CombinationLimit:
    """What limits the knowledge of parts: `names` (n), the standard deviation of each one's
    contrast `now`, and what would remain of it with `endless` games of the same combinations."""

    names: Sequence[str]
    now: Floats
    endless: Floats

    @property
    def by_combinations(self) -> bool:
        """Whether new combinations are needed rather than games: with endless games of the same
        ones the intervals would keep more than 70 % of their width, on average."""
        return bool(self.now.sum() > 0.0 and self.endless.sum() > 0.7 * self.now.sum())


def composite(games: Games, parts: Mapping[int, Combination]) -> Ratings:
    """`parts` gives the (kind, model, prompt) of every agent_id.

    Raises ValueError for columns that make no games or an agent without parts.
    """
    played = seats(games)
    if not len(played.agents):
        return Ratings("composite", {}, np.zeros(0), np.zeros((0, 0)))
    agents = played.agents.tolist()
    for agent in agents:
        if agent not in parts:
            raise ValueError(f"agent {agent} has no parts: expected its (kind, model, prompt)")
    places = places_of(played)
    own = {
        agent: [(by, name) for by, name in zip(PARTS, parts[agent], strict=True)]
        for agent in agents
    }
    effects = effects_of(played, places, own, unknown=True)
    said = matches(played, places.seat, len(places.agent))
    families = effects.families(COMPOSITE_LATTICES)
    said, posterior = posterior_of(said, effects, families)
    known = with_unseen(effects.terms, posterior, families, played)
    terms, out = reported(known.terms, played)
    out = _with_parts(terms, parts, played) @ out
    return Ratings(
        system="composite",
        terms=terms,
        mean=out @ known.mean,
        covariance=symmetric(out @ (out @ known.covariance).T),
        noise=BETA,
        margin=margin(said),
        shares=played.shares if len(played.roles) > 1 else {},
        prior=known.prior,
        games=(each := games_of(played)),
        notes=notes(played, each),
    )


def _with_parts(
    terms: Mapping[Term, int], parts: Mapping[int, Combination], played: Seats
) -> sparse.csr_array:
    """(terms, terms): adds its parts to every agent's residual."""
    rows, columns = list(range(len(terms))), list(range(len(terms)))
    for agent in played.agents.tolist():
        for by, name in zip(PARTS, parts[agent], strict=True):
            rows.append(terms["agent", str(agent)])
            columns.append(terms[by, name])
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(terms),) * 2)


def part_contrasts(
    ratings: Ratings, parts: Mapping[int, Combination], by: PartName = "model"
) -> tuple[list[str], Floats, Floats]:
    """The names of the parts that played, sorted; mean (n,) and covariance (n, n) of their own
    effects relative to their mean, in units of mu."""
    names = _names(ratings, parts, by)
    weights = np.zeros((len(names), len(ratings.mean)))
    for row, name in zip(weights, names, strict=True):
        row[ratings.terms[by, name]] = 1.0
    if names:
        weights -= weights.mean(axis=0)
    return names, weights @ ratings.mean, symmetric(weights @ ratings.covariance @ weights.T)


def limited_by(
    ratings: Ratings, parts: Mapping[int, Combination], by: PartName = "model"
) -> CombinationLimit:
    """How much of what is not known of the parts is due to how few combinations played.

    With endless games every agent's skill would be known to a common constant; what the parts are
    worth would then be a regression of these skills on the parts, the residuals its noise.
    """
    names, _, covariance = part_contrasts(ratings, parts, by)
    agents = [agent for agent in parts if agent in ratings.games]
    everything = [(part, name) for part in PARTS for name in _names(ratings, parts, part)]
    at = {term: column for column, term in enumerate(everything)}
    if not names:
        return CombinationLimit(names, np.zeros(0), np.zeros(0))
    rows = np.zeros((len(agents), len(everything)))
    for row, agent in zip(rows, agents, strict=True):
        for part, name in zip(PARTS, parts[agent], strict=True):
            row[at[part, name]] = 1.0
    rows -= rows.mean(axis=0)
    prior = np.array([_variance(ratings, part) for part, _ in everything])
    precision = rows.T @ rows / _variance(ratings, "agent") + np.diag(1.0 / prior)
    contrast = np.zeros((len(names), len(everything)))
    contrast[np.arange(len(names)), [at[by, name] for name in names]] = 1.0
    contrast -= contrast.mean(axis=0)
    endless = np.einsum("ij,ji->i", contrast, np.linalg.solve(precision, contrast.T))
    now = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    # The mean variance of the residuals stands for all that they may be, which overshoots a little.
    return CombinationLimit(names, now, np.minimum(np.sqrt(endless), now))


def predicted(ratings: Ratings, combos: Sequence[Combination]) -> tuple[Floats, Floats]:
    """Mean and standard deviation (m,) of the skills of combinations that never played, relative to
    the mean of the agents that did, averaged over the roles as they come up. What a combination has
    beyond its parts is unknown and part of the standard deviation; so is a part never seen."""
    agents = list(ratings.games)
    pool = ratings.weights(agents).mean(axis=0)
    mean, sd = np.zeros(len(combos)), np.zeros(len(combos))
    # Deviations in roles are independent of each other, and average out in part.
    in_roles = sum(share * share for share in ratings.shares.values())
    unseen = _variance(ratings, "agent") + in_roles * _variance(ratings, "agent:role")
    for row, combo in enumerate(combos):
        weights, variance = -pool, unseen
        for part, name in zip(PARTS, combo, strict=True):
            if (at := ratings.terms.get((part, name))) is None:
                variance += _variance(ratings, part)
            else:
                weights[at] += 1.0
        mean[row] = weights @ ratings.mean
        sd[row] = np.sqrt(variance + max(0.0, float(weights @ ratings.covariance @ weights)))
    return mean, sd


def _names(ratings: Ratings, parts: Mapping[int, Combination], by: PartName) -> list[str]:
    axis = PARTS.index(by)
    names = {combination[axis] for combination in parts.values()}
    return sorted(name for name in names if (by, name) in ratings.terms)


def _variance(ratings: Ratings, family: str) -> float:
    at = ratings.terms.get(("unknown", family))
    return 0.0 if at is None else float(ratings.covariance[at, at])
