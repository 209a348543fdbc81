"""Adjusted means keep the estimand; scores that are not around what was expected are found."""

from __future__ import annotations

import numpy as np
import pytest

from arena.stats.covariates import FEWEST_BLOCKS, adjusted_mean, expectation_kept


def test_an_adjusted_mean_is_surer_and_of_the_same_quantity() -> None:
    rng = np.random.default_rng(4)
    inside, saved, means = 0, [], []
    for _ in range(1500):
        luck = rng.normal(size=40)
        scores = np.clip(np.round(2 * (0.55 + 0.3 * luck + 0.2 * rng.normal(size=40))) / 2, 0, 1)
        found = adjusted_mean(scores.tolist(), luck.tolist())
        assert found is not None
        low, high = found.interval
        means.append(found.score)
        saved.append(found.saved)
        inside += low <= 0.5434 <= high  # the mean of millions of such scores
    assert inside / 1500 == pytest.approx(0.95, abs=0.02)
    assert np.mean(means) == pytest.approx(0.5434, abs=0.004)
    assert 0.5 < np.mean(saved) < 0.7


def test_where_nothing_varies_nothing_is_adjusted() -> None:
    many = [0.0, 1.0] * FEWEST_BLOCKS
    assert adjusted_mean(many, [0.0] * len(many)) is None
    assert adjusted_mean([0.5] * len(many), many) is None
    assert adjusted_mean(many[: FEWEST_BLOCKS - 1], many[: FEWEST_BLOCKS - 1]) is None
    exact = adjusted_mean(many, [x - 0.5 for x in many])
    assert exact is not None
    assert exact.saved == pytest.approx(1.0)


def test_a_kept_expectation_is_refused_as_rarely_as_stated() -> None:
    rng = np.random.default_rng(1)
    agents, games = np.tile(np.arange(6), 50), np.repeat(np.arange(100), 3)
    low = 0
    for _ in range(1000):
        scores = rng.choice([-1.0, 1.0], 300)
        scores[rng.random(300) < 0.1] = np.nan
        low += expectation_kept(scores, agents, games).p < 0.05
    assert low / 1000 == pytest.approx(0.05, abs=0.025)


def test_one_that_rises_with_the_agent_is_found() -> None:
    rng = np.random.default_rng(1)
    agents, games = np.tile(np.arange(6), 50), np.repeat(np.arange(100), 3)
    kept = expectation_kept(rng.normal(size=300) + 0.8 * (agents == 4), agents, games)
    assert kept.p < 0.001
    assert kept.agent == 4
    assert kept.mean == pytest.approx(0.8, abs=4 * kept.error)


def test_too_few_games_are_no_test() -> None:
    assert expectation_kept(np.array([9.0, 9.0]), np.array([1, 2]), np.array([0, 0])).p == 1.0
