"""Forecasts of games and dollars come true in simulation."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from arena.core import UsageError
from arena.core.ratings import BETA
from arena.stats.plan import (
    Forecast,
    games_to_separate,
    games_to_separate_top,
    information,
)


def separated(difference: float, variance: float, added: float, *, seed: int = 1) -> float:
    """The share of 20,000 futures in which the posterior after so much precision leaves 0."""
    rng = np.random.default_rng(seed)
    true = rng.normal(difference, sqrt(variance), 20_000)
    seen = rng.normal(true, 1 / sqrt(added))
    precision = 1 / variance + added
    mean = (difference / variance + added * seen) / precision
    return float((np.abs(mean) * np.sqrt(precision) >= 1.959964).mean())


@pytest.mark.parametrize(("difference", "variance"), [(1.0, 4.0), (0.0, 9.0), (-2.5, 2.0)])
def test_with_the_games_forecast_half_of_the_futures_are_separated(
    difference: float, variance: float
) -> None:
    per_game = 0.004

    forecast = games_to_separate(difference, variance, per_game)

    for games, share in ((forecast.low, 0.1), (forecast.games, 0.5), (forecast.high, 0.9)):
        assert separated(difference, variance, games * per_game) >= share - 0.01
        if games > 1:
            before = separated(difference, variance, 0.98 * (games - 1) * per_game)
            assert before <= share + 0.01


@given(st.floats(-3, 3), st.floats(0.5, 30), st.floats(0.001, 1))
@settings(deadline=None, max_examples=50)
def test_more_is_needed_of_games_that_say_less(
    difference: float, variance: float, per_game: float
) -> None:
    much, little = (
        games_to_separate(difference, variance, per_game * share) for share in (1.0, 0.25)
    )

    assert much.low <= much.games <= much.high
    assert little.games >= much.games
    assert games_to_separate(-difference, variance, per_game) == much
    if not much.separated and much.games > 100:
        assert little.games / much.games == pytest.approx(4, rel=0.05)


def test_who_is_separated_needs_no_game() -> None:
    forecast = games_to_separate(4.0, 4.0, 0.01, dollars_per_game=0.2)

    assert forecast == Forecast(0.0, 0.0, 0.0, True, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("variance", "per_game"), [(4.0, 0.0), (0.0, 0.1)])
def test_games_that_say_nothing_are_never_enough(variance: float, per_game: float) -> None:
    forecast = games_to_separate(0.0, variance, per_game, dollars_per_game=0.01)

    assert (forecast.games, forecast.dollars, forecast.separated) == (inf, inf, False)


def test_dollars_are_games_times_their_price() -> None:
    forecast = games_to_separate(1.0, 4.0, 0.01, dollars_per_game=0.05)

    assert forecast.dollars == pytest.approx(forecast.games * 0.05)
    assert forecast.dollars_high == pytest.approx(forecast.high * 0.05)
    assert games_to_separate(1.0, 4.0, 0.01).dollars is None


@pytest.mark.parametrize("lean", [0.35, 0.5, 0.7])
def test_information_is_how_fast_a_strength_shows_in_the_results(lean: float) -> None:
    from scipy.special import ndtri

    step, at, noise = 1e-4, float(ndtri(lean)), BETA * sqrt(6)
    before, after = ndtr(at), ndtr(at + step / noise)
    divergence = before * np.log(before / after) + (1 - before) * np.log((1 - before) / (1 - after))

    found = information("opposite", (4, 2), lean=lean)

    assert found == pytest.approx(2 * divergence / step**2, rel=1e-3)


def test_seatings_differ_by_what_their_games_say() -> None:
    opposite = information("opposite", (4, 2))

    assert information("clones", (4, 2)) / opposite == pytest.approx(9)
    assert opposite / information("random", (4, 2)) == pytest.approx(4)
    assert information("mirrored", (4, 2)) == opposite
    assert information("mirrored") == information("clones") == information("opposite")
    assert information("opposite", (1,) * 6) == pytest.approx(information("opposite"))


def test_the_top_one_of_two_is_the_pair() -> None:
    mean, covariance = np.array([0.0, 1.5]), np.array([[3.0, 1.0], [1.0, 2.0]])

    pair = games_to_separate(1.5, 3.0, 0.01)
    top = games_to_separate_top(mean, covariance, 1, 0.01)

    assert top.low == pytest.approx(pair.low, rel=0.2)
    assert top.games == pytest.approx(pair.games, rel=0.2)
    assert top.high == pytest.approx(pair.high, rel=0.4)


def test_the_top_two_wait_for_their_closest_pair() -> None:
    mean, covariance = np.array([0.0, 9.0, 8.5, 8.2]), np.eye(4) * 0.5

    one = games_to_separate_top(mean, covariance, 1, 0.01)
    two = games_to_separate_top(mean, covariance, 2, 0.01)
    three = games_to_separate_top(mean, covariance, 3, 0.01, dollars_per_game=1.0)

    assert three == Forecast(0.0, 0.0, 0.0, True, 0.0, 0.0, 0.0)
    assert two.games > games_to_separate(0.3, 1.0, 0.01).games * 0.8
    assert one.games > games_to_separate(0.5, 1.0, 0.01).games * 0.8
    assert two == games_to_separate_top(mean, covariance, 2, 0.01)


def test_agents_known_to_be_equal_are_never_separated() -> None:
    covariance = np.ones((2, 2))

    assert games_to_separate_top(np.zeros(2), covariance, 1, 0.01).games == inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: games_to_separate(float("nan"), 1.0, 0.1), "difference is nan"),
        (lambda: games_to_separate(1.0, -1.0, 0.1), "variance is -1.0"),
        (lambda: games_to_separate(1.0, 4.0, 0.1, dollars_per_game=-1.0), "costs -1.0 dollars"),
        (lambda: games_to_separate(1.0, 4.0, 0.1, confidence=1.0), "confidence is 1.0"),
        (lambda: games_to_separate_top(np.zeros(2), np.eye(2), 2, 0.1), "the top 2 of 2 agents"),
        (lambda: games_to_separate_top(np.zeros(1), np.eye(1), 1, 0.1), "the top 1 of 1 agents"),
        (
            lambda: games_to_separate_top(np.array([0.0, np.nan]), np.eye(2), 1, 0.1),
            "not a finite number",
        ),
        (lambda: information("sideways"), "use one of random, mirrored, opposite, clones"),  # type: ignore[arg-type]
        (lambda: information("clones", (1, 1, 1)), "clones fill two teams, and there are 3"),
        (lambda: information("opposite", (3,)), "there must be two teams"),
        (lambda: information("opposite", noise=0.0), "noise of a seat is 0.0"),
    ],
)
def test_numbers_that_are_none_are_refused(call: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()  # type: ignore[operator]
