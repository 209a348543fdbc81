"""The noise floor bounds what two copies of one thing differ by, 95 % of the time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from arena.stats.noise_floor import noise_floor


def test_further_copies_differ_by_less_in_95_of_100() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(2000):
        groups = [rng.normal(mean, 2.0, size).tolist() for mean, size in ((25, 4), (31, 3), (9, 1))]
        found = noise_floor(groups)
        assert found is not None
        inside += abs(rng.normal(0, 2.0) - rng.normal(0, 2.0)) < found.width
    assert inside / 2000 == pytest.approx(0.95, abs=0.015)


def test_of_two_copies_it_is_as_wide_as_one_difference_says() -> None:
    found = noise_floor([[24.0, 26.0]])
    assert found is not None
    assert (found.freedom, found.sd) == (1, pytest.approx(2**0.5))
    assert found.width == pytest.approx(2 * t.ppf(0.975, 1))


@pytest.mark.parametrize("groups", [[], [[25.0]], [[25.0], [26.0]]])
def test_without_two_of_a_kind_there_is_none(groups: list[list[float]]) -> None:
    assert noise_floor(groups) is None
