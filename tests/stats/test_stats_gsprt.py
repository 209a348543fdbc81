"""The exact sequential test stops where it should, and not a block later."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import UsageError
from arena.stats.gsprt import GSPRT, likelihood_ratio
from arena.stats.sequential import Decision, SequentialTest, running

SCORES = (0.0, 0.25, 0.5, 0.75, 1.0)


def logistic(elo: float) -> float:
    return 1 / (1 + 10 ** (-elo / 400))


@pytest.mark.parametrize(
    ("counts", "elo0", "elo1", "expected"),
    [
        # What LLR_logistic of fishtest's server/fishtest/stats/LLRcalc.py gives.
        ([440, 2910, 5170, 2888, 455], 0.0, 5.0, -5.92044344),
        ([142, 620, 1122, 699, 188], 0.0, 5.0, 3.96890831),
        ([10, 5, 2, 5, 10], -1.75, 0.25, 0.00056553),
        ([0, 0, 0, 0, 3], 0.0, 10.0, 0.08516030),
        ([0, 12, 40, 15, 0], -5.0, 10.0, 0.43553900),
        ([3, 0, 7], 0.0, 50.0, 0.47248728),
        ([1, 2, 3, 4, 5, 6, 7], 0.0, 20.0, 1.12584342),
    ],
)
def test_the_likelihood_ratio_is_that_of_fishtest(
    counts: list[int], elo0: float, elo1: float, expected: float
) -> None:
    found = likelihood_ratio(np.array(counts, dtype=float), logistic(elo0), logistic(elo1))

    assert float(found) == pytest.approx(expected, abs=5e-9)


def test_many_comparisons_at_once_are_the_same_as_one_by_one() -> None:
    counts = np.random.default_rng(1).integers(0, 30, (4, 6, 5)).astype(float)

    together = likelihood_ratio(counts, 0.45, 0.6)

    assert together.shape == (4, 6)
    assert float(likelihood_ratio(counts[2, 3], 0.45, 0.6)) == pytest.approx(together[2, 3])


def test_wins_decide_for_h1_and_losses_for_h0() -> None:
    test = GSPRT(h0=0.5, h1=0.6)

    for_a, against_a = test.verdict([0.75, 1.0] * 20), test.verdict([0.25, 0.0] * 20)

    assert (for_a.decision, for_a.favours) == (Decision.ACCEPT_H1, 1)
    assert (against_a.decision, against_a.favours) == (Decision.ACCEPT_H0, -1)
    assert for_a.statistic >= for_a.bounds[1] >= np.log(19)
    assert against_a.statistic <= against_a.bounds[0]
    assert for_a.p <= 0.05 < against_a.p
    assert for_a.games == 2 * for_a.blocks
    assert for_a.blocks + for_a.unused == 40


def test_p_is_the_least_alpha_at_which_h1_would_be_accepted_by_now() -> None:
    scores = [1.0, 0.5, 0.75, 0.5, 1.0, 0.5] * 4
    p = GSPRT().verdict(scores).p
    assert 0.05 < p < 0.5

    assert GSPRT(alpha=p * 0.999).verdict(scores).decision is Decision.UNDECIDED
    assert GSPRT(alpha=p * 1.001).verdict(scores).decision is Decision.ACCEPT_H1


def test_without_a_block_nothing_is_known() -> None:
    verdict = GSPRT().verdict([])

    assert verdict.decision is Decision.UNDECIDED
    assert (verdict.blocks, verdict.games, verdict.statistic, verdict.p) == (0, 0, 0.0, 1.0)
    assert verdict.estimate is None
    assert verdict.interval == (0.0, 1.0)


def test_one_block_decides_nothing() -> None:
    verdict = GSPRT().verdict([1.0])

    assert not verdict.decided
    assert verdict.estimate == 1.0
    assert verdict.interval[0] < 0.05


def test_draws_alone_end_in_not_better() -> None:
    verdict = GSPRT().verdict([0.5] * 100)

    assert verdict.decision is Decision.ACCEPT_H0
    assert verdict.estimate == 0.5
    assert verdict.interval[0] < 0.5 < verdict.interval[1]


def test_after_the_most_blocks_it_is_exhausted() -> None:
    test = GSPRT(most=6)

    assert test.verdict([0.5] * 5).decision is Decision.UNDECIDED
    assert test.fewest([0.5] * 5) == 1
    assert test.verdict([0.5] * 6).decision is Decision.EXHAUSTED
    assert test.verdict([0.5] * 8).unused == 2
    assert test.fewest([0.5] * 6) == 0


@pytest.mark.parametrize("test", [GSPRT(0.3, 0.8, games=1), GSPRT(0.4, 0.7, 0.2, 0.2)])
@pytest.mark.parametrize("scores", [[], [1.0, 0.0], [1.0, 0.5], [0.5, 0.0], [1.0, 0.5, 0.0]])
def test_nothing_stops_before_the_fewest_blocks(test: GSPRT, scores: list[float]) -> None:
    fewest = test.fewest(scores)
    assert fewest >= 1
    kinds = SCORES if test.games == 2 else (0.0, 0.5, 1.0)

    for length in range(1, fewest):
        for further in combinations_with_replacement(kinds, length):
            # Every order is among the longer ones' beginnings.
            assert not test.verdict([*scores, *further]).decided

    fastest = [test.verdict([*scores, *[end] * fewest]) for end in (0.0, 1.0)]
    assert any(verdict.decided for verdict in fastest)


def batches(test: SequentialTest, scores: list[float]) -> int:
    """How many blocks are played when as many are played at once as surely will be needed."""
    played = 0
    while room := test.fewest(scores[:played]):
        played += room
    return played


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_playing_the_fewest_at_once_plays_not_one_too_many(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = [float(score) for score in rng.choice(SCORES, 400, p=[0.1, 0.1, 0.3, 0.2, 0.3])]
    test = GSPRT(0.45, 0.6)

    verdict = test.verdict(scores)

    assert verdict.decided
    assert batches(test, scores) == verdict.blocks
    assert test.verdict(scores[: verdict.blocks]).decision is verdict.decision
    assert not test.verdict(scores[: verdict.blocks - 1]).decided


@pytest.mark.parametrize("score", [float("nan"), 0.3, -0.25, 1.25, float("inf")])
def test_a_score_that_no_block_can_have_is_refused(score: float) -> None:
    with pytest.raises(UsageError, match="block 1 has the score"):
        GSPRT().verdict([0.5, score])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"h0": 0.55, "h1": 0.5}, "must be above h0"),
        ({"h0": 0.5, "h1": 0.5}, "must be above h0"),
        ({"h1": 1.0}, "h1 is 1.0"),
        ({"h0": float("nan")}, "h0 is nan"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"beta": 0.7}, "beta is 0.7"),
        ({"games": 0}, "games is 0"),
        ({"most": -1}, "most is -1"),
    ],
)
def test_hypotheses_that_cannot_be_tested_are_refused(
    options: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        GSPRT(**options)  # type: ignore[arg-type]


def test_counts_run_along_with_the_blocks() -> None:
    counts = running(np.array([0, 4, 4]), 2)

    assert counts.tolist() == [[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 1], [1, 0, 0, 0, 2]]
