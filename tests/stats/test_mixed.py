"""Effects of few groups are learned as far as their measurements tell, and no further."""

from __future__ import annotations

import numpy as np
import pytest

from arena.stats.mixed import Component, fit_mixed


def groups(sizes: list[int], new: int = 0) -> np.ndarray:
    design = np.zeros((sum(sizes), len(sizes) + new))
    design[np.arange(sum(sizes)), np.repeat(np.arange(len(sizes)), sizes)] = 1.0
    return design


def test_without_a_measurement_the_effects_are_as_stated() -> None:
    found = fit_mixed(np.zeros(0), [Component(np.zeros((0, 2)), 0.5, 4.0)], noise=0.3, weight=4.0)

    assert found.mean.tolist() == [0.0, 0.0]
    assert np.diag(found.covariance) == pytest.approx([0.25, 0.25])
    assert found.noise == pytest.approx(0.3)
    drawn = found.draws(np.random.default_rng(1), 3_000)
    # Student's t with four degrees of freedom: its ninetieth percentile is 1.53.
    assert np.quantile(drawn[:, 0], 0.9) == pytest.approx(1.53 * 0.5, rel=0.1)


def test_one_mean_is_that_of_the_measurements_and_the_stated_one() -> None:
    """Four measurements of deviation 1 and an effect of deviation 1: precisions add up."""
    y = np.array([3.0, 3.0, 3.0, 3.0])
    found = fit_mixed(y, [Component(np.ones((4, 1)), 1.0)], noise=1.0, weight=1e9)

    assert found.mean == pytest.approx([3.0 * 4 / 5])
    assert found.covariance == pytest.approx(np.array([[1 / 5]]))
    assert found.residuals == pytest.approx(y - 2.4)


def test_the_spread_of_groups_is_learned_and_is_that_of_a_new_one() -> None:
    rng = np.random.default_rng(3)
    sizes = [30] * 40
    effects = 0.8 * rng.standard_normal(40)
    y = np.repeat(effects, sizes) + 0.2 * rng.standard_normal(sum(sizes))

    found = fit_mixed(y, [Component(groups(sizes, new=1), 0.1, 2.0)], noise=1.0, weight=2.0)

    assert found.noise == pytest.approx(0.2, rel=0.1)
    assert found.mean[:-1] == pytest.approx(effects, abs=0.15)
    new = found.draws(rng, 3_000)[:, -1]
    assert new.std() == pytest.approx(0.8, rel=0.2)
    assert found.freedom[-1] == 42.0


@pytest.mark.parametrize("games", [1, 4, 20])
def test_the_interval_of_a_new_measurement_holds(games: int) -> None:
    """Of groups and noise as stated, at least nine of ten new measurements are inside: a few more
    where little was measured, because the noise is not taken for known."""
    rng, inside = np.random.default_rng(games), 0
    for _ in range(300):
        truth = rng.standard_normal() * 0.5
        y = truth + 0.3 * rng.standard_normal(games)
        found = fit_mixed(y, [Component(np.ones((games, 1)), 0.5)], noise=0.3, weight=4.0)
        new = found.draws(rng, 200)[:, 0] + found.noise * rng.standard_normal(200)
        low, high = np.quantile(new, (0.05, 0.95))
        inside += low <= truth + 0.3 * rng.standard_normal() <= high

    assert 0.86 <= inside / 300 <= 0.97
