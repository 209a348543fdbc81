"""The course of a comparison: it ends at the verdict, and says how many games may follow."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from arena.compare.answer import Comparison, sentence
from arena.compare.course import course, remaining
from arena.matchmakers.duel import BLOCK, DuelOptions
from arena.stats.evalue import EValue
from arena.stats.gsprt import GSPRT


def compared(scores: list[float], **options: object) -> Comparison:
    asked = DuelOptions.read({"seating": "mirrored", **options})
    verdict = asked.sequential(BLOCK * len(scores)).verdict(scores)
    return Comparison(
        a="Ann", b="Bob", environment="Duel-v0", players=2, seating="mirrored", options=asked,
        tournament=None, verdict=verdict, decided=verdict.decided,
        sentence=sentence("Ann", "Bob", asked, verdict, 2 * len(scores), 100),
        settled=2 * len(scores), void=0, dollars=None, fixed_games=None, scores=tuple(scores),
    )  # fmt: skip


def drawn(blocks: int, share: float, seed: int) -> list[float]:
    lot = random.Random(seed)
    return [sum(lot.random() < share for _ in range(2)) / 2 for _ in range(blocks)]


@pytest.mark.parametrize("test", ["gsprt", "evalue"])
def test_the_course_ends_where_the_verdict_is(test: str) -> None:
    found = compared(drawn(60, 0.55, 3), test=test)
    assert found.verdict is not None

    way = course(found)

    assert way is not None
    assert way.games[0] == 0
    assert way.games[-1] == found.games
    assert way.statistic[-1] == pytest.approx(found.verdict.statistic)
    assert way.bounds == found.verdict.bounds
    steps = [step.statistic for step in found.steps()]
    assert way.statistic[1:] == pytest.approx(steps)
    last = way.estimates[-1]
    assert (last.score, last.low, last.high) == pytest.approx(
        (found.verdict.estimate, *found.verdict.interval)
    )


def test_a_decided_comparison_needs_no_more_games() -> None:
    found = compared([1.0] * 40, test="evalue")
    assert found.decided

    way = course(found)

    assert way is not None
    assert way.remaining is None
    # What came after the decision is not looked at.
    assert way.games[-1] == found.games < 80


def test_a_test_of_a_fixed_size_has_no_course() -> None:
    found = compared([0.5, 1.0] * 10, test="fixed")
    assert course(found) is None
    assert course(replace(found, options=DuelOptions(), verdict=None)) is None


@pytest.mark.parametrize("test", [GSPRT(), EValue()], ids=["gsprt", "evalue"])
def test_what_is_still_to_be_played_is_what_later_blocks_take(test: GSPRT | EValue) -> None:
    # Known from many blocks, the forecast is of the same luck as those that follow.
    share, begun = 0.62, drawn(12, 0.62, 1)
    left = remaining(test, begun)
    taken = []
    for seed in range(200):
        further = drawn(400, share, 1_000 + seed)
        verdict = test.verdict([*begun, *further])
        taken.append(2 * (verdict.blocks - len(begun)))
    taken.sort()

    assert left.least == 2 * test.fewest(begun) <= taken[0]
    assert left.low is not None
    assert left.median is not None
    # The twelve blocks leave open what the share is, so that the forecast is the wider one.
    assert left.low <= taken[60]
    assert taken[20] <= left.median <= taken[180] * 2
    assert left.high is None or left.high >= taken[140]
    assert remaining(test, begun) == left


def test_equals_may_never_be_told_apart() -> None:
    left = remaining(EValue(), [0.5] * 200)
    assert (left.median, left.high) == (None, None)
    assert left.horizon == 10_000
