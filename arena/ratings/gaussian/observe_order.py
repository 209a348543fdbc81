"""What an order of finish says of the gaps between neighbours, when their skills are correlated.

The chain of Herbrich, Minka and Graepel (NIPS 2006) by expectation propagation, in the space of the
gaps: every comparison becomes a normal observation of its gap (a precision and a place), sweep
after sweep, until none moves. `arena.ratings.gaussian.expectation_propagation` is the same for
independent skills.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

import numpy as np

from arena.core.arrays import Floats
from arena.ratings.gaussian.truncated import draw, log_drawn, log_won, win

_SWEEPS = 200
_SETTLED = 1e-9  # of a deviation
_PINNED = 0.9


def observe(
    mean: Floats, covariance: Floats, margins: Sequence[float], drawn: Sequence[bool]
) -> tuple[Floats, Floats, float]:
    """(gain (n,), factor (n, n), log-evidence) of what is learnt of n gaps.

    Before the game the gaps, noise included, have `mean` (n,) and `covariance` (n, n); gap i is
    known to exceed `margins[i]`, or to lie within it where `drawn[i]`. Any quantity with
    covariances H (n, k) to the gaps moves by H'·gain, and its covariance loses F'F with
    F = factor·H. The log-evidence is that of the whole order: the scales of the normal observations
    times what the gaps make of them.
    """
    n = len(mean)
    precision, place = np.zeros(n), mean.copy()
    after, spread = mean.copy(), covariance.copy()
    seen = [(0.0, 0.0)] * n
    scales = [0.0] * n
    order = [*range(n), *range(n - 2, 0, -1)]
    for _ in range(_SWEEPS):
        moved = 0.0
        for i in order:
            variance, here = float(spread[i, i]), float(after[i])
            old, location_before = float(precision[i]), float(place[i])
            if old * variance < _PINNED:
                cavity_variance = variance / (1.0 - old * variance)
                cavity_mean = here + cavity_variance * old * (here - location_before)
            else:
                cavity_mean, cavity_variance = _without(i, mean, covariance, precision, place)
            deviation = sqrt(cavity_variance)
            t, margin = cavity_mean / deviation, margins[i] / deviation
            v, w, left = draw(t, margin) if drawn[i] else win(t - margin)
            new = w / (left * cavity_variance) if w > 0.0 else 0.0
            location = cavity_mean + deviation * v / w if w > 0.0 else cavity_mean
            column = spread[i].copy()
            change = new - old
            scale = 1.0 / (1.0 + change * variance)
            pull = new * (location - here) - old * (location_before - here)
            after += column * (pull * scale)
            # Symmetric to the bit: the factor is taken once per product, not once per side.
            spread -= (column[:, None] * column) * (change * scale)
            precision[i], place[i] = new, location
            moved = max(moved, abs(v - seen[i][0]) / (1.0 + abs(v)), abs(left - seen[i][1]))
            seen[i] = v, left
            likely = log_drawn(t, margin) if drawn[i] else log_won(t - margin, v)
            kept = 1.0 + new * cavity_variance
            surprise = new * (location - cavity_mean) ** 2 / kept
            scales[i] = likely + 0.5 * (log(kept) + surprise)
        if moved < _SETTLED:
            break
    root = np.sqrt(precision)
    lower = np.linalg.cholesky(np.eye(n) + covariance * np.multiply.outer(root, root))
    factor = np.linalg.solve(lower, np.diag(root))
    pulled = factor @ (place - mean)
    evidence = sum(scales) - float(np.log(np.diag(lower)).sum()) - 0.5 * float(pulled @ pulled)
    return factor.T @ pulled, factor, evidence


def _without(
    i: int, mean: Floats, covariance: Floats, precision: Floats, place: Floats
) -> tuple[float, float]:
    """Mean and variance of gap i as the other comparisons leave it, without a subtraction of
    nearly equal numbers."""
    root = np.sqrt(precision)
    root[i] = 0.0
    system = np.eye(len(mean)) + covariance * np.multiply.outer(root, root)
    seen = root * covariance[i]
    weights = np.linalg.solve(system, seen)
    return (
        float(mean[i] + weights @ (root * (place - mean))),
        float(covariance[i, i] - weights @ seen),
    )
