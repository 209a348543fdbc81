"""Covariates as control variates: how much of a game's noise is known, and what that is worth.

A covariate whose expectation was fixed before the games says nothing of skill, but may say much of
luck: a game lost although one's own part went well was lost by the rest. In a fit, the noise of a
two-team game has the correlation r with the covariate; given it, the difference of the teams has
the mean r z, z the covariate over its root mean square, and the share r² of the variance is no
noise any more. The scale stays that of the whole noise, so that the estimand stays the same, as it
does not where a covariate is one more term of a probit (non-collapsibility: Gail, Wieand and
Piantadosi 1984). The same idea for means: Lavenberg and Welch 1981, Deng and others 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import log, sqrt

import numpy as np
from scipy import sparse

from arena.core.arrays import Floats
from arena.ratings.fit.laplace import Family, Fitter, Posterior, mixed
from arena.ratings.fit.likelihood import Matches

MOST = 0.95
"""The largest correlation, either way: more would leave no noise."""

_STEP = 0.02


def controlled(
    said: Matches,
    spread: sparse.csr_array | Floats,
    families: Sequence[Family],
    alone: Posterior,
    posterior: Callable[[Matches], Posterior],
) -> Posterior:
    """The posterior with the covariate's correlation averaged over.

    `alone` is the posterior without it, at whose mean prior variances the likeliest correlation is
    found; around that its own posterior is nearly normal, and three points of Gauss and Hermite's
    stand for it. `posterior` gives that of the effects at one of them.
    """
    variances = np.ones(spread.shape[1])
    for family, square in zip(families, alone.weights @ alone.sds**2, strict=True):
        variances[family.columns] = square
    points = correlations(said, spread, variances)
    found = [
        replace(posterior(replace(said, explained=at)), evidence=log(weight))
        for at, weight in points
    ]
    return replace(mixed(found), evidence=alone.evidence)


def correlations(
    said: Matches, spread: sparse.csr_array | Floats, variances: Floats
) -> Sequence[tuple[float, float]]:
    """Correlations of the noise with the covariate, and their weights."""
    from scipy.optimize import minimize_scalar  # takes half a second to load

    def evidence(at: float) -> float:
        return Fitter(replace(said, explained=at), spread).mode(variances).evidence

    best = float(
        minimize_scalar(
            lambda at: -evidence(at), bounds=(-MOST, MOST), method="bounded",
            options={"xatol": 1e-3},
        ).x
    )  # fmt: skip
    middle = float(np.clip(best, _STEP - MOST, MOST - _STEP))
    low, here, high = (evidence(middle + step) for step in (-_STEP, 0.0, _STEP))
    curve = max((2.0 * here - low - high) / _STEP**2, 1.0)
    away = sqrt(3.0 / curve)
    return [
        (float(np.clip(best + step, -MOST, MOST)), weight)
        for step, weight in ((-away, 1 / 6), (0.0, 2 / 3), (away, 1 / 6))
    ]


def variance_saved(with_: Floats, without: Floats) -> float:
    """The share of the variance of ratings that a covariate saved, on average: of the covariances
    (n, n) of the same contrasts with it and without."""
    before = float(np.trace(without))
    return 1.0 - float(np.trace(with_)) / before if before > 0.0 else 0.0
