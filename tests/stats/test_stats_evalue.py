"""Betting is fair, and its intervals hold whenever one stops."""

from __future__ import annotations

from itertools import combinations_with_replacement, product
from math import exp, log, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import UsageError
from arena.stats.evalue import EValue, interval, wealth
from arena.stats.sequential import Decision

SCORES = (0.0, 0.25, 0.5, 0.75, 1.0)
blocks = st.lists(st.sampled_from(SCORES), max_size=60)


def counted(scores: tuple[float, ...] | list[float]) -> np.ndarray:
    return np.array([sum(score == kind for score in scores) for kind in SCORES], dtype=float)


@pytest.mark.parametrize(
    "chances", [(0.2, 0.2, 0.2, 0.2, 0.2), (0.5, 0, 0, 0, 0.5), (0.05, 0.4, 0.2, 0.2, 0.15)]
)
def test_where_nothing_is_to_be_found_nobody_gains_by_betting(chances: tuple[float, ...]) -> None:
    mean = sum(chance * score for chance, score in zip(chances, SCORES, strict=True))
    chance = dict(zip(SCORES, chances, strict=True))

    expected = sum(
        prod(chance[score] for score in scores) * exp(float(wealth(counted(scores), mean)))
        for scores in product(SCORES, repeat=5)
    )

    assert expected == pytest.approx(1.0, abs=1e-12)


@given(blocks, st.floats(0.02, 0.98), st.floats(0.02, 0.98))
@settings(deadline=None)
def test_wealth_falls_as_the_mean_that_is_bet_against_rises(
    scores: list[float], one: float, other: float
) -> None:
    low, high = sorted((one, other))

    assert wealth(counted(scores), low) >= wealth(counted(scores), high) - 1e-9


def test_it_finds_the_better_and_the_worse() -> None:
    better, worse = EValue().verdict([1.0, 0.5] * 50), EValue().verdict([0.0, 0.5] * 50)

    assert (better.decision, better.favours) == (Decision.REJECT, 1)
    assert (worse.decision, worse.favours) == (Decision.REJECT, -1)
    assert better.statistic >= better.bounds[1] == pytest.approx(log(20))
    assert better.p == pytest.approx(exp(-better.statistic))
    assert better.unused == 100 - better.blocks
    assert better.interval == pytest.approx(tuple(1 - end for end in reversed(worse.interval)))


def test_with_one_side_it_only_finds_the_better_and_sooner() -> None:
    test = EValue(side="greater")

    assert test.verdict([1.0, 0.5] * 50).blocks < EValue().verdict([1.0, 0.5] * 50).blocks
    assert test.verdict([0.0, 0.5] * 200).decision is Decision.UNDECIDED
    assert test.fewest([0.0, 0.5] * 3) > 1


@given(blocks)
@settings(deadline=None, max_examples=50)
def test_it_rejects_exactly_when_the_interval_at_that_moment_leaves_h0(
    scores: list[float],
) -> None:
    verdict = EValue().verdict(scores)

    low, high = verdict.interval

    assert (verdict.decision is Decision.REJECT) == (not low <= 0.5 <= high)
    assert 0 <= low <= high <= 1
    if verdict.estimate is not None:
        assert low <= verdict.estimate <= high


def test_p_remembers_the_best_moment() -> None:
    best = EValue().verdict([1.0] * 6)
    later = EValue().verdict([1.0] * 6 + [0.0] * 6)

    assert best.p < 1
    assert later.statistic < best.statistic
    assert later.p == best.p


def test_it_looks_at_the_same_blocks_whatever_is_played_at_once() -> None:
    rng = np.random.default_rng(5)
    test = EValue()
    scores = [float(score) for score in rng.choice(SCORES, 600, p=[0.1, 0.1, 0.3, 0.2, 0.3])]

    played = 0
    while room := test.fewest(scores[:played]):
        played += room

    assert played == test.verdict(scores).blocks


@pytest.mark.parametrize("scores", [[], [1.0, 1.0, 1.0], [0.5, 0.0, 0.0, 0.0]])
def test_nothing_stops_before_the_fewest_blocks(scores: list[float]) -> None:
    test = EValue(alpha=0.3)
    fewest = test.fewest(scores)

    for further in combinations_with_replacement(SCORES, fewest - 1):
        assert not test.verdict([*scores, *further]).decided
    assert any(test.verdict([*scores, *[end] * fewest]).decided for end in (0.0, 1.0))


def test_without_blocks_or_with_one_kind_of_result_the_answers_are_defined() -> None:
    nothing, draws, wins = EValue().verdict([]), EValue().verdict([0.5] * 300), interval([1.0] * 30)

    assert (nothing.estimate, nothing.interval, nothing.p) == (None, (0.0, 1.0), 1.0)
    assert draws.decision is Decision.UNDECIDED
    assert draws.interval == pytest.approx((0.5, 0.5), abs=0.02)
    assert wins[1] == 1.0
    assert 0.7 < wins[0] < 0.95


def test_after_the_most_blocks_it_is_exhausted_and_proves_nothing() -> None:
    verdict = EValue(most=4).verdict([0.5] * 9)

    assert (verdict.decision, verdict.favours, verdict.unused) == (Decision.EXHAUSTED, 0, 5)


def test_the_interval_narrows_and_holds_the_truth_at_every_moment() -> None:
    rng = np.random.default_rng(2)
    misses = 0
    for _ in range(40):
        counts = np.cumsum(np.eye(5)[rng.choice(5, 400, p=[0.2, 0.1, 0.2, 0.2, 0.3])], axis=0)
        truth = 0.025 + 0.1 + 0.15 + 0.3
        out = (wealth(counts, truth) >= log(40)) | (wealth(counts[:, ::-1], 1 - truth) >= log(40))
        misses += bool(out.any())
    assert misses <= 4

    widths = [np.diff(interval([0.5, 0.75, 0.25, 1.0] * count))[0] for count in (5, 25, 125)]
    assert widths[0] > widths[1] > widths[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"h0": 0.0}, "h0 is 0.0"),
        ({"alpha": 0.5}, "alpha is 0.5"),
        ({"side": "less"}, "use both or greater"),
        ({"most": 0}, "most is 0"),
    ],
)
def test_hypotheses_that_cannot_be_tested_are_refused(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        EValue(**options)  # type: ignore[arg-type]


def test_a_missing_reward_is_no_score() -> None:
    with pytest.raises(UsageError, match="leave out blocks"):
        EValue().verdict([0.5, float("nan")])
