"""Wins and draws of two teams: derivatives, far tails, and the margin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from arena.ratings.fit.ordered_probit import best_margin, first_margin, loglikelihood


def test_win_draw_and_loss_are_all_that_can_happen() -> None:
    t, margin = np.linspace(-3.0, 3.0, 13), np.full(13, 0.4)

    win, _, _ = loglikelihood(t, np.zeros(13, bool), margin)
    draw, _, _ = loglikelihood(t, np.ones(13, bool), margin)
    loss, _, _ = loglikelihood(-t, np.zeros(13, bool), margin)

    assert np.exp(win) + np.exp(draw) + np.exp(loss) == pytest.approx(np.ones(13), abs=1e-14)


@pytest.mark.parametrize("drawn", [False, True])
def test_derivatives_are_those_of_the_value(drawn: bool) -> None:
    t, margin = np.linspace(-6.0, 6.0, 25), np.full(25, 0.3)
    result = np.full(25, drawn)

    _, slope, bend = loglikelihood(t, result, margin)

    above, below = (loglikelihood(t + way * 1e-5, result, margin) for way in (1, -1))
    assert slope == pytest.approx((above[0] - below[0]) / 2e-5, abs=1e-6)
    assert bend == pytest.approx(-(above[1] - below[1]) / 2e-5, abs=1e-6)


def test_the_least_likely_result_is_finite() -> None:
    t = np.array([-1e4, 1e4, -300.0])
    for drawn in (False, True):
        for column in loglikelihood(t, np.full(3, drawn), np.full(3, 1e-6)):
            assert np.isfinite(column).all()


def test_margin_is_found_again() -> None:
    rng = np.random.default_rng(3)
    t = np.abs(rng.normal(size=20_000))
    performed = t + rng.normal(size=20_000)
    drawn = np.abs(performed) < 0.5
    won = performed >= 0.5

    found = best_margin(np.where(won | drawn, t, -t), drawn, np.ones(20_000))

    assert found == pytest.approx(0.5, abs=0.02)


def test_without_draws_there_is_no_margin() -> None:
    assert best_margin(np.zeros(3), np.zeros(3, bool), np.ones(3)) == 0.0
    assert first_margin(100.0, 0.0) == 0.0


def test_only_draws_leave_a_margin_that_is_finite() -> None:
    found = best_margin(np.zeros(1), np.ones(1, bool), np.full(1, 1e6))

    assert 3.0 < found <= 6.0
    assert 2.0 * ndtr(first_margin(10.0, 10.0)) - 1.0 == pytest.approx(10.5 / 20.0)
