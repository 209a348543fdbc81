"""A test of a fixed size looks once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from arena.core import UsageError
from arena.stats.fixed import FixedSize, fixed_size
from arena.stats.sequential import Decision


@pytest.mark.parametrize("played", [0, 1, 39, 41])
def test_it_refuses_to_be_peeked_at(played: int) -> None:
    with pytest.raises(UsageError, match="may look once") as refused:
        FixedSize(40).verdict([0.5] * played)

    assert f"40 were stated, {played} are played" in str(refused.value)
    assert "80 games" in str(refused.value)
    assert "--test evalue" in str(refused.value)


def test_it_says_how_many_blocks_are_missing() -> None:
    test = FixedSize(40)

    assert [test.fewest([0.5] * played) for played in (0, 39, 40, 41)] == [40, 1, 0, 0]


def test_it_is_the_t_test_less_half_a_step() -> None:
    scores = [float(score) for score in np.random.default_rng(3).choice([0, 0.5, 0.75, 1], 200)]

    verdict = FixedSize(200).verdict(scores)

    plain = ttest_1samp(scores, 0.5)
    assert verdict.estimate == pytest.approx(np.mean(scores))
    assert verdict.p == pytest.approx(plain.pvalue, rel=0.1)
    assert verdict.p > plain.pvalue
    assert verdict.interval == pytest.approx(plain.confidence_interval(0.95))
    assert (verdict.decision, verdict.favours) == (Decision.REJECT, 1)
    assert verdict.games == 400


def test_what_is_not_shown_is_not_decided_for_either() -> None:
    verdict = FixedSize(10).verdict([0.25, 0.75] * 5)

    assert (verdict.decision, verdict.favours) == (Decision.EXHAUSTED, 0)
    assert verdict.statistic == 0.0
    assert verdict.p == 1.0


@pytest.mark.parametrize(
    ("scores", "p", "favours"),
    [
        ([1.0], 1.0, 0),
        ([1.0] * 4, 2 / 16, 0),
        ([1.0] * 6, 2 / 64, 1),
        ([0.0] * 6, 2 / 64, -1),
        ([0.5] * 6, 1.0, 0),
    ],
)
def test_scores_that_are_all_the_same_have_a_p_by_markov(
    scores: list[float], p: float, favours: int
) -> None:
    verdict = FixedSize(len(scores)).verdict(scores)

    assert verdict.p == pytest.approx(p)
    assert verdict.favours == favours
    assert 0 <= verdict.interval[0] <= verdict.interval[1] <= 1


def test_thousands_of_wins_are_certain_and_still_finite() -> None:
    verdict = FixedSize(5_000).verdict([1.0] * 5_000)

    assert verdict.decision is Decision.REJECT
    assert verdict.p == 0.0
    assert verdict.interval[0] > 0.99


@pytest.mark.parametrize(
    ("effect", "variance", "games", "expected"),
    [
        # A proportion of .55 against .5: (1.960 + 1.282)² .55 .45 / .05² + 1.960² / 2.
        (0.05, 0.55 * 0.45, 1, 1_043),
        (-0.05, 0.55 * 0.45, 1, 1_043),
        (0.05, 0.55 * 0.45 / 2, 2, 1_046),
        (0.5, 0.0, 2, 4),
    ],
)
def test_the_size_that_is_needed(effect: float, variance: float, games: int, expected: int) -> None:
    assert fixed_size(effect, variance, games=games) == expected


def test_a_test_of_the_size_that_is_needed_finds_nine_of_ten() -> None:
    rng = np.random.default_rng(1)
    blocks = fixed_size(0.2, 0.11) // 2
    p = [0.05, 0.1, 0.2, 0.3, 0.35]
    assert np.arange(5) @ p / 4 == pytest.approx(0.7)

    found = [
        FixedSize(blocks).verdict(rng.choice(5, blocks, p=p) / 4).favours == 1 for _ in range(400)
    ]

    # A variance of .085 is less than the .11 that was stated, and half a step is given away.
    assert 0.88 < np.mean(found) < 0.99


@pytest.mark.parametrize("effect", [0.0, float("nan")])
def test_no_number_of_games_shows_nothing(effect: float) -> None:
    with pytest.raises(UsageError, match="no number of games"):
        fixed_size(effect, 0.25)


def test_a_size_must_be_stated() -> None:
    with pytest.raises(UsageError, match="blocks is 0"):
        FixedSize(0)
