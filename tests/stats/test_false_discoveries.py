"""e-BH rejects what its definition says, and a pair that is decided stays so."""

from __future__ import annotations

from itertools import combinations
from math import log

import numpy as np
import pytest

from arena.core import UsageError
from arena.stats.evalue import EValue
from arena.stats.false_discoveries import PairTests, discoveries


def test_e_bh_rejects_the_most_that_are_all_high_enough() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        e = np.exp(rng.normal(1.5, 1.5, size=rng.integers(1, 7)))
        n = len(e)
        # By definition: the largest set whose every e-value is at least n / (its size * alpha).
        sets = [s for k in range(n + 1) for s in combinations(range(n), k)]
        best = max(
            (s for s in sets if all(e[i] >= n / (len(s) * 0.3) for i in s)), key=len, default=()
        )
        assert np.flatnonzero(discoveries(np.log(e), 0.3)).tolist() == sorted(best)


def test_of_many_at_once_each_row_is_its_own() -> None:
    logs = np.log(np.array([[41.0, 1.0], [39.0, 1.0], [25.0, 20.0], [25.0, 19.0]]))
    assert discoveries(logs, 0.05).tolist() == [
        [True, False], [False, False], [True, True], [False, False],
    ]  # fmt: skip
    assert discoveries(np.array([-np.inf, log(1e9)])).tolist() == [False, True]


def test_one_pair_is_the_test_by_betting_itself() -> None:
    scores = [1.0, 0.5, 1.0, 0.75, 1.0, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    tests = PairTests(1)
    for score in scores:
        tests.add(0, score)
    verdict = EValue().verdict(scores)

    assert tests.favours(0) == verdict.favours == 1
    assert (int(tests.counts.sum()), tests.unused[0]) == (verdict.blocks, verdict.unused)
    assert tests.logs[0].max() == pytest.approx(verdict.statistic)


def test_a_pair_that_is_decided_stops_and_makes_it_easier_for_the_others() -> None:
    tests = PairTests(3)
    for _ in range(20):
        tests.add(0, 0.0)
    assert tests.favours(0) == -1
    assert tests.unused[0] > 0
    alone, needed = PairTests(3), 0
    while not tests.rejected[2]:
        tests.add(2, 1.0)
        needed += 1
    while not alone.rejected[2]:
        alone.add(2, 1.0)
        needed -= 1
    assert needed < 0
    # What comes after the decision is not looked at, whatever it is.
    for _ in range(30):
        tests.add(0, 1.0)
    assert tests.rejected.tolist() == [True, False, True]
    assert tests.favours(0) == -1


def test_what_is_no_pair_or_level_is_refused() -> None:
    with pytest.raises(UsageError, match="0 pairs"):
        PairTests(0)
    with pytest.raises(UsageError, match=r"alpha is 0\.7"):
        PairTests(2, 0.7)
    with pytest.raises(UsageError, match="scores one of"):
        PairTests(2).add(0, 0.3)
