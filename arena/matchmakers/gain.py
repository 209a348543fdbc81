"""What a game not yet played would tell about who is better than whom.

Skills are jointly normal with covariance C. A game compares a'θ of its teams' skills with normal
noise of variance seats·beta² (Thurstone's model, as in Herbrich, Minka and Graepel, "TrueSkill",
NIPS 2006). It is expected to take w·(Ca)(Ca)'/c² from C, with c² = a'Ca + seats·beta² and, at the
probability p of the predicted result, w = φ(Φ⁻¹(p))²/(p(1 − p)). Of the difference d'θ of two
agents' skills it so takes the variance (a'Cd)²·w/c². Summed over all pairs, each weighted by its
part in the question (`arena.matchmakers.goals`), that is a quadratic form a'(C L C)a·w/c², where L
is the weights' Laplacian: any lineup is priced by looking up a few numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from arena.core import Part
from arena.core.arrays import Floats, Integers
from arena.core.ratings import BETA, SIGMA


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What the games of a block compare. `rows` (r, slots) holds the seats that the agent of a slot
    has on one side less those on the other; `seats` (r,) counts both sides' seats; `weight` (r,) is
    what a row counts: among t > 2 teams each pair of them 2/t, so that the game counts as the t − 1
    comparisons that its ranking is made of. `games` (slots,) is in how many games a slot plays."""

    rows: Floats
    seats: Floats
    weight: Floats
    games: Floats


def comparisons(plan: Sequence[Sequence[int]], parts: Sequence[Part], slots: int) -> Comparisons:
    """Of a block: `plan` gives for each game the slot of every player, `parts` their teams. Equal
    rows are counted together."""
    teams: dict[object, int] = {}
    team = [teams.setdefault(part.team or at, len(teams)) for at, part in enumerate(parts)]
    found: dict[tuple[float, ...], float] = {}
    size = np.zeros(len(teams))
    np.add.at(size, team, 1.0)
    for game in plan:
        sums = np.zeros((len(teams), slots))
        np.add.at(sums, (team, list(game)), 1.0)
        for one in range(len(teams)):
            for other in range(one + 1, len(teams)):
                row = sums[one] - sums[other]
                row *= np.sign(row[np.flatnonzero(row)[:1]].sum()) or 1.0
                key = (*row.tolist(), float(size[one] + size[other]))
                found[key] = found.get(key, 0.0) + 2.0 / len(teams)
    keys = np.array([*found]).reshape(len(found), slots + 1)
    games = np.array([sum(slot in game for game in plan) for slot in range(slots)], np.float64)
    return Comparisons(keys[:, :-1], keys[:, -1], np.array([*found.values()]), games)


def ranking(parts: Sequence[Part]) -> Comparisons:
    """What one game compares, a slot for each player, in as few rows as tell the same: for t teams
    t − 1 at right angles (Helmert's), which together are all pairs at 2/t each."""
    names = [part.team or at for at, part in enumerate(parts)]
    teams = np.array([[name == team for name in names] for team in dict.fromkeys(names)], float)
    if len(teams) == 2:
        rows, seats = teams[:1] - teams[1:], np.array([float(len(parts))])
    else:
        t = len(teams)
        below = np.tri(t - 1, t) - np.eye(t - 1, t, 1) * np.arange(1, t)[:, None]
        rows = below / np.linalg.norm(below, axis=1, keepdims=True) * np.sqrt(2.0) @ teams
        seats = np.full(t - 1, 2.0 * len(parts) / t)
    return Comparisons(rows, seats, np.ones(len(rows)), np.ones(len(parts)))


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of the agents' skills, and what would be worth knowing.

    `mean` (n,) and `covariance` (n, n) are relative to the mean of all: how good the pool is as a
    whole cannot be told from what its sides are worth. `worth` (n, n) is L, `value` (n, n) C L C.
    """

    mean: Floats
    covariance: Floats
    worth: Floats
    value: Floats

    @classmethod
    def of(
        cls,
        mean: Floats,
        covariance: Floats,
        weigh: Callable[[Floats, Floats], Floats] | None = None,
    ) -> Knowledge:
        """`weigh` gives the weights (n, n) of the pairs from the mean and the covariance: the
        probability of the wrong order unless said otherwise. Agents whose mean or variance is not a
        finite number are as if they had not played."""
        mean, covariance = _centred(*_known(mean, covariance))
        weights = (weigh or misordered)(mean, covariance)
        worth = np.diag(weights.sum(axis=1)) - weights
        return cls(mean, covariance, worth, covariance @ worth @ covariance)

    def expecting(self, weights: Floats, seats: Floats, counted: Floats) -> Knowledge:
        """When games are played whose results are unknown: the covariance shrinks by what they are
        expected to tell, the means stay, and so does what is worth knowing. `weights` (r, n) holds
        each agent's seats on one side less those on the other, `seats` and `counted` (r,) are
        `Comparisons.seats` and `weight`."""
        if not len(weights):
            return self
        h = weights @ self.covariance
        joint = h @ weights.T
        own = np.diag(joint)
        variance = own + seats * BETA**2
        told = information(weights @ self.mean / np.sqrt(variance)) * counted
        # What takes told/variance from C is an observation with a normal error of this variance.
        error = np.maximum(variance / np.maximum(told, 1e-12) - own, 1e-9)
        taken = np.linalg.solve(joint + np.diag(error), h)
        aside = h @ self.worth
        cross = taken.T @ (aside @ self.covariance)
        return Knowledge(
            self.mean,
            self.covariance - taken.T @ h,
            self.worth,
            self.value + taken.T @ (aside @ h.T) @ taken - cross - cross.T,
        )

    def told(self) -> Floats:
        """(n, n): w of a game between any two agents, one seat each; most of the cost of `pairs`,
        and much the same whatever else is under way."""
        variance = variances(self.covariance) + 2.0 * BETA**2
        return information((self.mean[:, None] - self.mean) / np.sqrt(variance))

    def pairs(self, told: Floats) -> Floats:
        """(n, n): the gain of a game between any two agents, one seat each, with this w."""
        gains = variances(self.value)
        gains *= told
        gains /= variances(self.covariance) + 2.0 * BETA**2
        return gains

    def gains(self, lineups: Integers, compared: Comparisons) -> Floats:
        """(m,): of blocks whose slots hold these agents (m, slots), by their positions."""
        rows = compared.rows
        one, other = lineups[:, :, None], lineups[:, None, :]
        variance = np.einsum("rk,mkl,rl->mr", rows, self.covariance[one, other], rows)
        value = np.einsum("rk,mkl,rl->mr", rows, self.value[one, other], rows)
        variance += compared.seats * BETA**2
        told = information(self.mean[lineups] @ rows.T / np.sqrt(variance))
        gains: Floats = np.maximum(value, 0.0) * told / variance @ compared.weight
        return gains

    def replacements(self, lineup: Integers, compared: Comparisons) -> Floats:
        """(slots, n): of this block with each agent in turn in each slot, the others as they are.
        By what one agent changes, so that a pool of hundreds costs little more than one of ten."""
        rows = compared.rows
        moved = rows.T[:, :, None]
        gap = rows @ self.mean[lineup]
        mean = gap[None, :, None] + moved * (self.mean - self.mean[lineup, None])[:, None]
        changed = []
        for matrix in (self.covariance, self.value):
            own = np.diag(matrix)
            there = matrix[lineup]
            with_all = rows @ there
            whole = np.einsum("rk,rk->r", with_all[:, lineup], rows)
            linear = with_all[None] - with_all[:, lineup].T[:, :, None]
            apart = (own + own[lineup, None] - 2.0 * there)[:, None]
            changed.append(whole[None, :, None] + 2.0 * moved * linear + moved**2 * apart)
        variance = changed[0] + (compared.seats * BETA**2)[None, :, None]
        told = information(mean / np.sqrt(variance)) / variance
        gains: Floats = np.einsum("krn,r->kn", np.maximum(changed[1], 0.0) * told, compared.weight)
        return gains


def misordered(mean: Floats, covariance: Floats) -> Floats:
    """(n, n): the probability that two agents' means are in the wrong order; 0 on the diagonal."""
    variance = np.maximum(variances(covariance), 1e-12)
    wrong: Floats = ndtr(-np.abs(mean[:, None] - mean) / np.sqrt(variance))
    np.fill_diagonal(wrong, 0.0)
    return wrong


def information(t: Floats) -> Floats:
    """Expected w of a comparison that the better side wins with probability Φ(t)."""
    t = np.minimum(np.abs(t), 30.0)
    lost = ndtr(-t)
    told: Floats = np.exp(-t * t) / (2.0 * np.pi * lost * (1.0 - lost))
    return told


def variances(matrix: Floats) -> Floats:
    """(n, n): of the difference of every two, from a covariance (n, n)."""
    own = np.diag(matrix)
    pairs: Floats = own[:, None] + own - 2.0 * matrix
    return pairs


def _known(mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    mean, covariance = np.array(mean, np.float64), np.array(covariance, np.float64)
    own = np.diag(covariance)
    unknown = ~np.isfinite(mean) | ~np.isfinite(own) | (own < 0.0)
    known = ~unknown
    mean[unknown] = mean[known].mean() if known.any() else 0.0
    covariance[unknown, :] = covariance[:, unknown] = 0.0
    covariance[unknown, unknown] = SIGMA**2
    return mean, np.nan_to_num(covariance, nan=0.0, posinf=0.0, neginf=0.0)


def _centred(mean: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    rows = covariance - covariance.mean(axis=0)
    return mean - mean.mean(), rows - rows.mean(axis=1, keepdims=True)
