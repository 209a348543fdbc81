"""Effects with normal priors, fitted to games: modes, and averages over the priors' widths.

Given the prior standard deviations of the families of effects, the posterior is taken as normal
around its mode (Laplace's approximation), found by Newton's method. The standard deviations are
averaged over a lattice, each point weighted by its evidence (Tierney and Kadane 1986; Rue, Martino
and Chopin 2009) and a log-normal hyperprior: the mean and covariance are those of the mixture, so
what is unknown about the widths is part of every interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import exp, log, prod
from typing import Protocol

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import threadpool_limits

from arena.core.arrays import Floats, Integers

Point = tuple[int, ...]

NEAR = 0.1
"""In units of the noise: so far strengths may be from where the likelihood was expanded, divided by
twice the fall of the log-likelihood on the way where that is more than 1: what a second-order
expansion leaves out is then below 0.01 in the log-evidence."""

NEGLIGIBLE = 5.0
"""In log-evidence: lattice points this much worse than the best are not counted or explored."""

MOST_STEPS = 200

KEPT = 4
"""Expansions that are looked at for the next mode."""

LARGEST = 200
"""Points of a lattice that is explored; larger ones are sampled."""

SWEEPS, SAMPLES = 2, 64


class Likelihood(Protocol):
    """A log-concave log-likelihood of strengths (s,)."""

    @property
    def noise(self) -> float:
        """A seat's: the scale of strengths."""
        ...

    def at(self, strengths: Floats) -> tuple[float, Floats]:
        """The value, and the gradient (s,)."""
        ...

    def information(self, strengths: Floats) -> Floats | sparse.csr_array:
        """(s, s): minus the Hessian."""
        ...


Lattice = Mapping[float, float]
"""The standard deviations that a family may have, ascending, each with its prior weight."""


@dataclass(frozen=True, slots=True)
class Family:
    """Effects that share a prior standard deviation: `columns` among all effects, and what that may
    be."""

    columns: Integers
    lattice: Lattice

    @property
    def sds(self) -> tuple[float, ...]:
        return tuple(self.lattice)

    @property
    def log_priors(self) -> tuple[float, ...]:
        return tuple(log(weight) for weight in self.lattice.values())

    @property
    def typical(self) -> int:
        """The position of the standard deviation with the most weight."""
        return max(range(len(self.lattice)), key=lambda at: (self.log_priors[at], at))


def log_normal(median: float, ratio: float, down: int, up: int, spread: float) -> Lattice:
    """median * ratio**i for i from -`down` to `up`, with weights of a normal distribution whose
    standard deviation is `spread` steps."""
    return {median * ratio**step: exp(-0.5 * (step / spread) ** 2) for step in range(-down, up + 1)}


@dataclass(frozen=True, slots=True)
class Mode:
    """The mode (k,) of the effects at one point of the lattice, the Cholesky factor of their
    posterior precision (lower), and the log-evidence."""

    effects: Floats
    factor: Floats
    evidence: float

    @property
    def covariance(self) -> Floats:
        """(k, k)."""
        inverse, _ = linalg.lapack.dpotri(self.factor, lower=1)
        return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)


@dataclass(frozen=True, slots=True)
class Posterior:
    """Mean (k,) and covariance (k, k) of the effects, and the families' standard deviations:
    `sds` (points, families) with their weights (points,). `evidence` is the log-evidence of it
    all."""

    mean: Floats
    covariance: Floats
    sds: Floats
    weights: Floats
    evidence: float = 0.0


@dataclass(frozen=True, slots=True)
class _Expansion:
    """The log-likelihood around some effects: value, gradient (k,) and minus the Hessian (k, k)."""

    effects: Floats
    value: float
    gradient: Floats
    information: Floats


@dataclass(frozen=True, slots=True)
class _Step:
    """A mode as it looks from an expansion; `far` says how much that can be trusted, see NEAR."""

    around: _Expansion
    mode: Mode
    far: float


class Fitter:
    """Modes of one set of games under any prior widths.

    `spread` (s, k) makes strengths of effects. The log-likelihood is expanded to second order, and
    expanded again where a mode is too far from where that was done: many games under priors not too
    different take one expansion. Deterministic: the same calls in the same order give the same
    bits.
    """

    def __init__(self, likelihood: Likelihood, spread: sparse.csr_array | Floats) -> None:
        self._likelihood = likelihood
        self._spread = spread
        self._known = [self._expanded(np.zeros(spread.shape[1]))]

    def mode(self, variances: Floats) -> Mode:
        """The mode under prior variances (k,)."""
        reached = [self._step(around, variances) for around in self._known[-KEPT:]]
        step = min(reversed(reached), key=lambda step: step.far)
        for _ in range(MOST_STEPS):
            if step.far <= NEAR * self._likelihood.noise:
                break
            there = self._towards(step, variances)
            if there is None:
                break
            self._known.append(there)
            step = self._step(there, variances)
        return step.mode

    def _step(self, around: _Expansion, variances: Floats) -> _Step:
        """The mode as it looks from an expansion."""
        precision = around.information.copy()
        precision.flat[:: len(variances) + 1] += 1.0 / variances
        # By name: what `linalg.cholesky` does before takes longer than a small factor does.
        factor, failed = linalg.lapack.dpotrf(precision, lower=1)
        if failed:
            raise linalg.LinAlgError("the information of a fit is not positive definite")
        pull = around.gradient - around.effects / variances
        step, _ = linalg.lapack.dpotrs(factor, pull, lower=1)
        far = float(np.abs(self._spread @ step).max(initial=0.0))
        curve = float(step @ around.information @ step)
        effects = around.effects + step
        evidence = (
            around.value
            + float(around.gradient @ step)
            - 0.5 * curve
            - 0.5 * float(effects @ (effects / variances))
            - 0.5 * float(np.log(variances).sum())
            - float(np.log(np.diag(factor)).sum())
        )
        mode = Mode(effects, np.asarray(factor), evidence)
        return _Step(around, mode, far * max(1.0, curve))

    def _towards(self, step: _Step, variances: Floats) -> _Expansion | None:
        """Expanded where the step leads, or on the way there if it leads too far; None where
        rounding leaves nothing to gain."""
        start = step.around.effects
        here = step.around.value - 0.5 * float(start @ (start / variances))
        scale = 1.0
        while scale > 1e-6:
            effects = start + scale * (step.mode.effects - start)
            value, gradient = self._likelihood.at(self._spread @ effects)
            if value - 0.5 * float(effects @ (effects / variances)) >= here:
                return self._expanded(effects, (value, gradient))
            scale /= 2.0
        return None

    def _expanded(self, effects: Floats, known: tuple[float, Floats] | None = None) -> _Expansion:
        strengths = self._spread @ effects
        value, gradient = self._likelihood.at(strengths) if known is None else known
        inner = self._likelihood.information(strengths)
        across = self._spread.T @ (self._spread.T @ inner).T
        information = across if isinstance(across, np.ndarray) else np.asarray(across.toarray())
        return _Expansion(effects, value, self._spread.T @ gradient, information)


class _Lattice:
    """The points of the families' lattice that have been looked at, each with its mode and with its
    score: log-evidence plus the hyperprior's logarithm."""

    def __init__(self, fitter: Fitter, families: Sequence[Family], effects: int) -> None:
        self._fitter = fitter
        self._families = families
        self._effects = effects
        self._modes: dict[Point, Mode] = {}
        self._scores: dict[Point, float] = {}

    def score(self, point: Point) -> float:
        if point not in self._scores:
            variances = np.ones(self._effects)
            for family, step in zip(self._families, point, strict=True):
                variances[family.columns] = family.sds[step] ** 2
            mode = self._fitter.mode(variances)
            prior = sum(f.log_priors[at] for f, at in zip(self._families, point, strict=True))
            self._modes[point], self._scores[point] = mode, mode.evidence + prior
        return self._scores[point]

    def explored(self) -> dict[Point, float]:
        """Log-weights: from the typical widths on, the neighbours of what counts are looked at
        until nothing new does."""
        origin = tuple(family.typical for family in self._families)
        found = {origin: self.score(origin)}
        frontier = [origin]
        while frontier:
            # The best first, so that what does not count is seldom looked at.
            point = max(frontier, key=lambda at: (found[at], at))
            frontier.remove(point)
            if found[point] < max(found.values()) - NEGLIGIBLE:
                continue
            for axis, way in product(range(len(self._families)), (-1, 1)):
                near = _moved(point, axis, point[axis] + way)
                if near not in found and near[axis] in range(len(self._families[axis].lattice)):
                    found[near] = self.score(near)
                    frontier.append(near)
        return found

    def sampled(self) -> dict[Point, float]:
        """Log-weights of points drawn evenly from the product of each family's own weights, which
        are those along its axis through the best point that a search axis by axis finds."""
        best = tuple(family.typical for family in self._families)
        for axis in [*range(len(self._families))] * SWEEPS:
            line = [_moved(best, axis, step) for step in range(len(self._families[axis].lattice))]
            best = max(line, key=lambda at: (self.score(at), at))
        chances = []
        for axis, family in enumerate(self._families):
            steps = range(len(family.lattice))
            scores = np.array([self.score(_moved(best, axis, step)) for step in steps])
            along = np.exp(scores - scores.max())
            chances.append(0.9 * along / along.sum() + 0.1 / len(along))
        from scipy.stats import qmc  # takes most of a second to load

        even = qmc.Sobol(len(self._families), scramble=False).random(SAMPLES)
        drawn = [
            tuple(
                min(int(np.searchsorted(np.cumsum(chance), u)), len(chance) - 1)
                for chance, u in zip(chances, row, strict=True)
            )
            for row in (even + 0.5 / SAMPLES).tolist()
        ]
        found = {}
        for point in sorted(set(drawn)):
            chance = sum(
                float(np.log(chance[step])) for chance, step in zip(chances, point, strict=True)
            )
            found[point] = self.score(point) - chance + float(np.log(drawn.count(point)))
        return found

    def mixture(self, found: Mapping[Point, float]) -> Posterior:
        best = max(found.values())
        counted = sorted(point for point in found if found[point] >= best - NEGLIGIBLE)
        weights = np.exp(np.array([found[point] - best for point in counted]))
        evidence = best + log(float(weights.sum()))
        weights /= weights.sum()
        means = np.array([self._modes[point].effects for point in counted])
        mean = weights @ means
        covariance = (weights[:, None] * (means - mean)).T @ (means - mean)
        for weight, point in zip(weights.tolist(), counted, strict=True):
            covariance += weight * self._modes[point].covariance
        sds = [
            [f.sds[at] for f, at in zip(self._families, point, strict=True)] for point in counted
        ]
        return Posterior(mean, covariance, np.array(sds), weights, evidence)


def average(fitter: Fitter, families: Sequence[Family], effects: int) -> Posterior:
    """The posterior of the effects, averaged over the families' widths: over all of the lattice
    that counts, or over a sample of it where it has more than LARGEST points."""
    lattice = _Lattice(fitter, families, effects)
    large = prod(len(family.lattice) for family in families) > LARGEST
    # Matrices this small are slower on several threads, and not the same to the last bit.
    with threadpool_limits(limits=1, user_api="blas"):
        return lattice.mixture(lattice.sampled() if large else lattice.explored())


def mixed(found: Sequence[Posterior]) -> Posterior:
    """One posterior of several under different assumptions, each weighted by its evidence."""
    if len(found) == 1:
        return found[0]
    best = max(one.evidence for one in found)
    weights = np.exp(np.array([one.evidence - best for one in found]))
    evidence = best + log(float(weights.sum()))
    weights /= weights.sum()
    means = np.array([one.mean for one in found])
    mean = weights @ means
    covariance = (weights[:, None] * (means - mean)).T @ (means - mean)
    for weight, one in zip(weights.tolist(), found, strict=True):
        covariance += weight * one.covariance
    sds = np.concatenate([one.sds for one in found])
    shares = [weight * one.weights for weight, one in zip(weights.tolist(), found, strict=True)]
    return Posterior(mean, covariance, sds, np.concatenate(shares), evidence)


def _moved(point: Point, axis: int, step: int) -> Point:
    return (*point[:axis], step, *point[axis + 1 :])
