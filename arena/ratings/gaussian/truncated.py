"""Moments of a normal distribution that a result has cut: TrueSkill's v and w, in the tails too.

Herbrich, Minka and Graepel, "TrueSkill: A Bayesian Skill Rating System" (NIPS 2006), give v and w
as ratios of densities that lose all their digits a few sigma out. Here the tail of a win is
Laplace's continued fraction for Mills' ratio (Abramowitz and Stegun 26.2.14), and a draw that is
narrow or far out is integrated, so every finite argument gets an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import ceil, erfc, exp, expm1, log, log1p, pi, sqrt

ROOT_2_OVER_PI = sqrt(2.0 / pi)
MINUS_ROOT_HALF = -sqrt(0.5)
_HALF_LOG_2_PI = 0.5 * log(2.0 * pi)
TAIL = -5.0
"""Below this, a win is so surprising that the continued fraction is the more exact way."""

_TERMS = 80  # at x = TAIL the fraction has settled to the last bit after about 60
_NARROWEST = 1e-12
_LEGENDRE_8 = (
    (0.1834346424956498, 0.3626837833783620),
    (0.5255324099163290, 0.3137066458778873),
    (0.7966664774136267, 0.2223810344533745),
    (0.9602898564975363, 0.1012285362903763),
)


def win(x: float) -> tuple[float, float, float]:
    """What is learnt when a standard normal z is known to satisfy z > −x.

    Returns (v, w, 1 − w): v is the mean of z afterwards, 1 − w its variance, each to about 1e-14 of
    itself. Finite x gives finite numbers; v >= 0, 0 <= w <= 1.
    """
    if x > TAIL:
        v = exp(-0.5 * x * x) * ROOT_2_OVER_PI / erfc(x * MINUS_ROOT_HALF)
        w = v * (v + x)
        return v, w, 1.0 - w
    return _tail(-x)


def _tail(u: float) -> tuple[float, float, float]:
    """`win(-u)`: v = u + 1/(u + 2/(u + 3/(u + ...))); no subtraction here cancels."""
    fraction = u
    for k in range(_TERMS, 2, -1):
        fraction = u + k / fraction
    second = 2.0 / fraction
    beyond = 1.0 / (u + second)
    v = u + beyond
    return v, v * beyond, beyond * (second - beyond)


def log_won(x: float, v: float) -> float:
    """log P(z > −x) of a standard normal z, where `v` is that of `win(x)`: the density at x over
    the probability."""
    return (
        -0.5 * x * x - _HALF_LOG_2_PI - log(v)
        if x < 0.0
        else log1p(-0.5 * erfc(-x * MINUS_ROOT_HALF))
    )


def log_drawn(t: float, margin: float) -> float:
    """log P(|t + z| < margin) of a standard normal z; margins count as in `draw`."""
    margin = max(margin, _NARROWEST)
    near, far = margin - abs(t), -margin - abs(t)
    log_near, log_far = (log_won(x, win(x)[0]) for x in (near, far))
    return log_near + log(-expm1(log_far - log_near))


def draw(t: float, margin: float) -> tuple[float, float, float]:
    """What is learnt when a standard normal z is known to satisfy |t + z| < margin.

    Returns (v, w, 1 − w) as `win` does; v has the sign of −t. A margin below 1e-12 counts as 1e-12:
    a draw that cannot happen would pin a skill to a point.
    """
    distance = abs(t)
    margin = max(margin, _NARROWEST)
    near, far = distance - margin, distance + margin
    if margin * (1.0 + distance) < 0.3:
        offset, rest = _moments(distance, _panel(-margin, margin))
        v = offset - distance
        w = 1.0 - rest
    elif near > -TAIL:
        depth = min(2.0 * margin, 40.0 / near)
        panels = ceil(depth * near / 2.0)
        edges = [depth * k / panels for k in range(panels + 1)]
        points = (p for a, b in pairwise(edges) for p in _panel(a, b))
        offset, rest = _moments(-near, points)
        v = -(near + offset)
        w = 1.0 - rest
    else:
        # erfc of both edges on the losing side of zero, where it keeps its relative precision.
        inside = erfc(-near * MINUS_ROOT_HALF) - erfc(-far * MINUS_ROOT_HALF)
        at_near = exp(-0.5 * near * near) * ROOT_2_OVER_PI / inside
        at_far = exp(-0.5 * far * far) * ROOT_2_OVER_PI / inside
        v = at_far - at_near
        w = v * v + far * at_far - near * at_near
        rest = 1.0 - w
    return (v if t >= 0.0 else -v), w, rest


def _panel(low: float, high: float) -> Iterable[tuple[float, float]]:
    """Gauss-Legendre points and weights, eight of them, between two bounds."""
    middle, half = 0.5 * (low + high), 0.5 * (high - low)
    for node, weight in _LEGENDRE_8:
        yield middle - half * node, half * weight
        yield middle + half * node, half * weight


def _moments(slope: float, points: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Mean and variance of the density exp(slope·y − y²/2) on the given points."""
    masses = [(y, weight * exp(y * (slope - 0.5 * y))) for y, weight in points]
    total = first = 0.0
    for y, mass in masses:
        total += mass
        first += y * mass
    mean = first / total
    second = 0.0
    for y, mass in masses:
        second += (y - mean) * (y - mean) * mass
    return mean, second / total
