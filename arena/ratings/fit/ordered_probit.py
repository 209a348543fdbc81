"""How likely wins and draws of two teams are (ordered probit), with derivatives; the draw margin.

With t the difference of the teams' sums over the noise's standard deviation and m the margin on the
same scale, P(first wins) = Phi(t − m) and P(draw) = Phi(m − t) − Phi(−m − t), as in TrueSkill
(Herbrich, Minka and Graepel 2006). Everything is computed in logarithms, so that no result is
impossible to the last bit.
"""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr, ndtri

from arena.core.arrays import Booleans, Floats

LOG_ROOT_2_PI = 0.5 * np.log(2.0 * np.pi)
WIDEST = 6.0
"""Of margins: beyond it, a game between equals is drawn but once in 10^9."""


def wins(t: Floats, margin: Floats) -> tuple[Floats, Floats, Floats]:
    """Of wins by the first team: log-likelihood, its derivative by t, and minus the second."""
    x = t - margin
    value = log_ndtr(x)
    mills = np.exp(-0.5 * x * x - LOG_ROOT_2_PI - value)
    return value, mills, mills * (mills + x)


def draws(t: Floats, margin: Floats) -> tuple[Floats, Floats, Floats]:
    """Of draws: log-likelihood, its derivative by t, and minus the second. `margin` > 0."""
    near, far = margin - np.abs(t), -margin - np.abs(t)
    log_near, log_far = log_ndtr(near), log_ndtr(far)
    with np.errstate(divide="ignore"):
        value = log_near + np.log1p(-np.exp(log_far - log_near))
    at_near = np.exp(-0.5 * near * near - LOG_ROOT_2_PI - value)
    at_far = np.exp(-0.5 * far * far - LOG_ROOT_2_PI - value)
    slope = at_far - at_near
    bend = slope * slope + near * at_near - far * at_far
    return value, np.sign(t) * slope, bend


def loglikelihood(t: Floats, drawn: Booleans, margin: Floats) -> tuple[Floats, Floats, Floats]:
    """Per row: log-likelihood, derivative by t, minus the second derivative (at least 0)."""
    value, slope, bend = wins(t, margin)
    if drawn.any():
        for column, of_draws in zip(
            (value, slope, bend), draws(t[drawn], margin[drawn]), strict=True
        ):
            column[drawn] = of_draws
    return value, slope, np.maximum(bend, 0.0)


def between(t: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats, Floats]:
    """Of performances with mean t that came out from `low` to `high` (either may be infinite):
    log-likelihood, its derivative by t, and minus the second (at least 0). low < high."""
    a, b = low - t, high - t
    # On the side of the lower tail, where a difference keeps its digits.
    swap = a + b > 0.0
    near, far = np.where(swap, -a, b), np.where(swap, -b, a)
    log_near = log_ndtr(near)
    with np.errstate(invalid="ignore", divide="ignore"):
        less = np.exp(np.where(np.isneginf(far), -np.inf, log_ndtr(far) - log_near))
        value = log_near + np.log1p(-less)
    at_a, at_b = _density(a, value), _density(b, value)
    slope = at_a - at_b
    bend = slope * slope - _times(a, at_a) + _times(b, at_b)
    return value, slope, np.maximum(bend, 0.0)


def _density(x: Floats, value: Floats) -> Floats:
    """phi(x) / exp(value), 0 at infinity."""
    finite = np.where(np.isfinite(x), x, 0.0)
    found = np.exp(-0.5 * finite * finite - LOG_ROOT_2_PI - value)
    return np.where(np.isfinite(x), found, 0.0)


def _times(x: Floats, density: Floats) -> Floats:
    return np.where(np.isfinite(x), x, 0.0) * density


def first_margin(games: float, drawn: float) -> float:
    """The margin at which equals draw as often as (draws + ½) in (games + 10); 0 without draws."""
    if drawn <= 0.0:
        return 0.0
    return float(ndtri(0.5 + 0.5 * (drawn + 0.5) / (games + 10.0)))


def best_margin(t: Floats, drawn: Booleans, weight: Floats) -> float:
    """The most likely margin, given the differences; 0 without draws.

    Half a draw in ten games between equals stands for what is not known yet, and keeps the margin
    finite where everything was drawn.
    """
    from scipy.optimize import minimize_scalar  # takes half a second to load

    if not drawn.any():
        return 0.0
    equals = np.zeros(2)
    lines = (
        np.concatenate([t, equals]),
        np.concatenate([drawn, [True, False]]),
        np.concatenate([weight, [0.5, 9.5]]),
    )

    def cost(margin: float) -> float:
        value, _, _ = loglikelihood(lines[0], lines[1], np.full(len(lines[0]), margin))
        return -float(lines[2] @ value)

    found = minimize_scalar(cost, bounds=(1e-6, WIDEST), method="bounded", options={"xatol": 1e-6})
    return float(found.x)
