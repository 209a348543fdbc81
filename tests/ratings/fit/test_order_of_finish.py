"""Orders of finish: probabilities against simulation, derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from arena.ratings.fit.order_of_finish import orders


def test_of_two_teams_it_is_the_probit() -> None:
    strengths = np.array([[0.0, 1.0], [2.0, -1.0], [0.3, 0.3]])
    sds = np.array([[1.0, 1.0], [1.0, 2.0], [4.0, 1.0]])

    found = orders(strengths, sds, last=1)

    gap = (strengths[:, 0] - strengths[:, 1]) / np.sqrt((sds**2).sum(axis=1))
    assert np.exp(found.value) == pytest.approx(ndtr(gap), rel=1e-3)


@pytest.mark.parametrize(("teams", "last"), [(3, 1), (6, 1), (5, 3), (4, 3)])
def test_probability_is_the_share_of_simulated_games(teams: int, last: int) -> None:
    rng = np.random.default_rng(1)
    strengths, sds = rng.normal(size=(1, teams)), rng.uniform(1.0, 2.0, (1, teams))
    played = strengths + sds * rng.normal(size=(200_000, teams))
    as_told = np.ones(len(played), dtype=bool)
    for i in range(teams - last):
        as_told &= played[:, i] > played[:, i + 1 :].max(axis=1)

    found = orders(strengths, sds, last)

    error = np.sqrt(as_told.mean() / len(played))
    assert np.exp(found.value[0]) == pytest.approx(as_told.mean(), abs=4 * error)


@pytest.mark.parametrize(("teams", "last"), [(2, 1), (5, 1), (6, 3), (4, 3)])
def test_derivatives_are_those_of_the_value(teams: int, last: int) -> None:
    rng = np.random.default_rng(2)
    strengths, sds = rng.normal(size=(3, teams)), rng.uniform(1.0, 2.0, (3, teams))
    found = orders(strengths, sds, last, curved=True)
    for i in range(teams):
        step = np.zeros(teams)
        step[i] = 1e-4
        above, below = (orders(strengths + way * step, sds, last, curved=True) for way in (1, -1))

        slope = (above.value - below.value) / 2e-4
        bend = (above.gradient - below.gradient) / 2e-4

        assert found.gradient[:, i] == pytest.approx(slope, abs=1e-3)
        assert found.hessian[:, :, i] == pytest.approx(bend, abs=1e-3)


def test_an_order_against_all_odds_is_finite_or_impossible() -> None:
    strengths = np.array([[-60.0, 0.0, 60.0], [-4000.0, 0.0, 4000.0]])

    found = orders(strengths, np.ones((2, 3)), last=1, curved=True)

    assert found.value[0] < -500.0
    assert found.value[1] == -np.inf
    assert np.isfinite(found.gradient).all()
    assert np.isfinite(found.hessian).all()


def test_no_games() -> None:
    assert orders(np.zeros((0, 3)), np.zeros((0, 3)), last=1).value.shape == (0,)
