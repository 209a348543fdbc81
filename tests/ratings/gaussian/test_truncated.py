"""The moments against numerical integration, and in the tails against what must hold there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.ratings.gaussian.truncated import TAIL, draw, win

NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def moments(low: float, high: float) -> tuple[float, float, float]:
    """(v, w, 1 − w) of a standard normal between two bounds, by one large quadrature."""
    half = 0.5 * (high - low)
    z = low + half * (1.0 + NODES)
    peak = min(max(low, 0.0), high)
    mass = WEIGHTS * np.exp(0.5 * (peak - z) * (peak + z))
    mean = float(mass @ z / mass.sum())
    rest = float(mass @ (z - mean) ** 2 / mass.sum())
    return mean, 1.0 - rest, rest


@pytest.mark.parametrize("x", [-60.0, -12.5, -5.1, -5.0, -4.9, -1.0, 0.0, 0.5, 3.0])
def test_a_win_moves_a_skill_as_much_as_integration_says(x: float) -> None:
    exact = moments(-x, 45.0 / -x - x if x < -2.0 else 13.0)

    assert win(x) == pytest.approx(exact, rel=1e-11, abs=1e-14)


@pytest.mark.parametrize(
    ("t", "margin"),
    [
        (0.0, 1e-3),
        (0.0, 1.0),
        (-1.5, 0.7),
        (2.0, 0.09),
        (2.0, 0.11),
        (4.0, 0.02),
        (5.9, 0.8),
        (5.9, 0.95),
        (-9.0, 0.5),
        (30.0, 0.004),
        (30.0, 3.0),
        (0.3, 6.0),
    ],
)
def test_a_draw_moves_a_skill_as_much_as_integration_says(t: float, margin: float) -> None:
    exact = moments(-margin - t, margin - t)

    assert draw(t, margin) == pytest.approx(exact, rel=1e-10, abs=1e-14)


def test_the_two_ways_to_compute_a_win_meet_where_they_change_over() -> None:
    above, below = win(math.nextafter(TAIL, 0.0)), win(TAIL)

    assert above == pytest.approx(below, rel=1e-12)


@settings(deadline=None, max_examples=200)
@given(st.floats(-1e12, 1e12))
def test_a_win_never_raises_and_never_leaves_its_bounds(x: float) -> None:
    v, w, rest = win(x)

    assert v >= 0.0
    assert 0.0 <= w <= 1.0
    assert 0.0 < rest <= 1.0


@settings(deadline=None, max_examples=200)
@given(st.floats(-1e12, 1e12), st.floats(0.0, 1e6))
def test_a_draw_never_raises_and_is_the_same_from_both_sides(t: float, margin: float) -> None:
    v, w, rest = draw(t, margin)

    assert draw(-t, margin) == (-v, w, rest) or t == 0.0
    assert v * t <= 0.0
    assert -1e-12 <= w <= 1.0 + 1e-12
    assert 0.0 < rest <= 1.0 + 1e-12
