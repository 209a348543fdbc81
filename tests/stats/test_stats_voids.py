"""Whatever void games would have brought: every outcome of a test, against trying them all."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from arena.stats.evalue import EValue
from arena.stats.fixed import FixedSize
from arena.stats.gsprt import GSPRT
from arena.stats.sequential import ScoreRange, SequentialTest

QUICK = (GSPRT(0.4, 0.7, 0.2, 0.2), EValue(0.5, 0.4), FixedSize(1, 0.5, 0.2))


def verdicts(test: SequentialTest, ranges: list[ScoreRange]) -> set[int]:
    """What every row of scores within the ranges leads to."""
    if isinstance(test, FixedSize):
        test = FixedSize(len(ranges), test.h0, test.alpha)
    steps = [
        [place / 4 for place in range(round(4 * block.low), round(4 * block.high) + 1)]
        for block in ranges
    ]
    return {test.verdict(scores).favours for scores in product(*steps)}


def some(rng: Random) -> list[ScoreRange]:
    """A few blocks, some of which lost one game or both."""
    lean = rng.random()
    blocks = []
    for _ in range(rng.randint(1, 12)):
        known = round(2 * rng.triangular(0, 1, lean)) / 2
        blocks.append(ScoreRange(known, known))
    for at in rng.sample(range(len(blocks)), min(len(blocks), rng.randint(1, 2))):
        half = rng.choice([0.0, 0.25, 0.5])
        blocks[at] = rng.choice([ScoreRange(0.0, 1.0), ScoreRange(half, half + 0.5)])
    return blocks


@pytest.mark.parametrize("test", QUICK, ids=lambda test: test.name)
def test_no_outcome_is_missing_and_hardly_one_is_too_many(test: SequentialTest) -> None:
    rng = Random(1)
    seen: set[frozenset[int]] = set()
    spare = 0
    for _ in range(60):
        ranges = some(rng)
        there = verdicts(test, ranges)
        found = test.outcomes(ranges)
        assert there <= found, ranges
        spare += found != there
        seen.add(frozenset(there))
    # Decisions that void games overturn, and such as stand, came up.
    assert frozenset({1}) in seen
    assert any(len(there) > 1 for there in seen)
    assert spare <= (3 if test.name == "gsprt" else 0)


def test_where_no_game_is_void_the_outcome_is_the_verdict() -> None:
    rng = Random(2)
    for _ in range(30):
        scores = [rng.choice([0.0, 0.25, 0.5, 0.75, 1.0, 1.0]) for _ in range(rng.randint(1, 30))]
        ranges = [ScoreRange(score, score) for score in scores]
        for test in (GSPRT(), EValue(), FixedSize(len(scores))):
            assert test.outcomes(ranges) == {test.verdict(scores).favours}
