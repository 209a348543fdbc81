"""A linear model with random effects: what groups of a few measurements each tell of the next one.

    y = X b + e,   b_j ~ N(0, tau_c²) for each effect j of component c,   e ~ N(0, sigma²)

Searle, Casella and McCulloch, Variance Components (1992), chapters 7 and 8. Every variance has a
scaled inverse chi-square prior about a stated value, which counts for a stated number of effects
(Gelman et al., Bayesian Data Analysis, section 3.3), so that a single game on record is enough to
learn from and a hundred outweigh what was stated. The variances are found by the EM algorithm; the
effects given them are normal, and drawn as Student's t, because they were not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.core.arrays import Floats

_STEPS = 30
_WIDEST = 3.0


@dataclass(frozen=True, slots=True)
class Component:
    """Effects of one kind. `design` is (measurements, effects): how much of each effect is in each
    measurement; `sd` the stated standard deviation of an effect, which counts for `weight` effects
    (infinite: it is not learned)."""

    design: Floats
    sd: float
    weight: float = float("inf")


@dataclass(frozen=True, slots=True)
class MixedFit:
    """The effects of all components, one after another: `mean` and `covariance`. `freedom` are
    the degrees of freedom of each as a Student's t; `residuals` (measurements,) are what the means
    leave, `noise` the standard deviation of a measurement."""

    mean: Floats
    covariance: Floats
    freedom: Floats
    residuals: Floats
    noise: float

    def draws(self, rng: np.random.Generator, size: int) -> Floats:
        """(size, effects) from the posterior."""
        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        normal = rng.standard_normal((size, len(self.mean))) @ root.T
        drawn = np.empty_like(normal)
        for freedom in np.unique(self.freedom):
            of = self.freedom == freedom
            scale = np.ones(size)
            if np.isfinite(freedom):
                # Its tails would have no mean once they are exponents.
                scale = np.minimum(np.sqrt(freedom / rng.chisquare(freedom, size)), _WIDEST)
            drawn[:, of] = normal[:, of] * scale[:, None]
        of_all: Floats = self.mean + drawn
        return of_all


def fit_mixed(
    y: Floats, components: Sequence[Component], *, noise: float, weight: float
) -> MixedFit:
    """Fit `y` (measurements,), which may be empty; `noise` is the stated standard deviation of a
    measurement and counts for `weight` of them."""
    design = np.concatenate([component.design for component in components], axis=1)
    of = np.repeat(
        np.arange(len(components)), [component.design.shape[1] for component in components]
    )
    seen = (design != 0.0).any(axis=0)
    gram, moment = design.T @ design, design.T @ y
    variances = np.array([component.sd**2 for component in components])
    sigma2 = noise**2
    for _ in range(_STEPS if len(y) else 0):
        mean, covariance = _given(gram, moment, variances[of], sigma2)
        residuals = y - design @ mean
        left = float(residuals @ residuals + np.sum(gram * covariance))
        sigma2 = (weight * noise**2 + left) / (weight + len(y))
        squares = mean**2 + np.diag(covariance)
        for at, component in enumerate(components):
            own = seen & (of == at)
            if np.isfinite(component.weight) and own.any():
                learned = component.weight * component.sd**2 + float(squares[own].sum())
                variances[at] = learned / (component.weight + float(own.sum()))
    mean, covariance = _given(gram, moment, variances[of], sigma2)
    freedom = np.full(len(of), weight + len(y))
    for at, component in enumerate(components):
        # A new effect knows of the others' spread alone.
        freedom[~seen & (of == at)] = component.weight + float((seen & (of == at)).sum())
    return MixedFit(mean, covariance, freedom, y - design @ mean, float(np.sqrt(sigma2)))


def _given(gram: Floats, moment: Floats, variances: Floats, sigma2: float) -> tuple[Floats, Floats]:
    """Mean and covariance of the effects where the variances are known."""
    precision = gram / sigma2 + np.diag(1.0 / variances)
    covariance = np.linalg.inv(precision).astype(np.float64)
    return covariance @ moment / sigma2, covariance
