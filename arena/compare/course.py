"""How a comparison came to where it is, and how many games it may still take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.compare.answer import Comparison
from arena.core.arrays import Floats
from arena.matchmakers.duel import BLOCK
from arena.stats.evalue import EValue, interval
from arena.stats.gsprt import GSPRT
from arena.stats.sequential import positions, running

_POINTS, _ESTIMATES = 400, 40
"""The most points of a line, and of the line of estimates, which take longer."""

_DRAWS, _STEPS, _HORIZON = 400, 48, 5_000
"""Courses that are drawn, looks at each of them, and the blocks after which they are given up."""


@dataclass(frozen=True, slots=True)
class EstimateAt:
    """A's mean score after a number of `games`, with the 95 % interval that holds at any time."""

    games: int
    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Remaining:
    """Further games until the test decides, if blocks keep scoring as those so far did, with what
    these leave open: at least `least`; as likely as not `median`, with a probability of 80 % from
    `low` to `high`. None is more than `horizon`."""

    least: int
    median: int | None
    low: int | None
    high: int | None
    horizon: int


@dataclass(frozen=True, slots=True)
class Course:
    """`statistic` after each number of `games`, thinned out where there are many, with the `bounds`
    that end the test; `estimates` along the way; `remaining` while it is not decided."""

    games: tuple[int, ...]
    statistic: tuple[float, ...]
    bounds: tuple[float, float]
    estimates: tuple[EstimateAt, ...]
    remaining: Remaining | None


def course(found: Comparison) -> Course | None:
    """The course of a test that may be looked at any time; None of one of a fixed size, and before
    the first block."""
    test = found.options.sequential(BLOCK * len(found.scores))
    if not isinstance(test, GSPRT | EValue) or found.verdict is None or not found.verdict.blocks:
        return None
    used = found.scores[: found.verdict.blocks]
    counts = running(positions(used, BLOCK), BLOCK)
    line = test.statistic(counts)
    return Course(
        games=tuple(BLOCK * at for at in _thinned(len(used), _POINTS)),
        statistic=tuple(float(line[at]) for at in _thinned(len(used), _POINTS)),
        bounds=test.bounds,
        estimates=tuple(
            EstimateAt(BLOCK * at, float(np.mean(used[:at])), *interval(used[:at], BLOCK))
            for at in _thinned(len(used), _ESTIMATES)
            if at
        ),
        remaining=None if found.verdict.decided else remaining(test, used),
    )


def remaining(test: GSPRT | EValue, scores: Sequence[float]) -> Remaining:
    """How many further games the test may take. The shares of the scores are drawn from what is
    known of them (Dirichlet, half a block of each score before the first), then blocks by these;
    a course is looked at after growing numbers of blocks, so that it ends a little late."""
    counts = running(positions(scores, BLOCK), BLOCK)[-1]
    # The same numbers whenever the same blocks are asked about.
    lot = np.random.default_rng(0)
    looks = np.unique(np.geomspace(1, _HORIZON, _STEPS).astype(np.int64))
    shares = lot.dirichlet(counts + 0.5, size=_DRAWS)
    further: Floats = np.cumsum(
        [
            lot.multinomial(int(more), shares).astype(np.float64)
            for more in np.diff(looks, prepend=0)
        ],
        axis=0,
    )
    values = test.statistic(counts + further)
    low, high = test.bounds
    outside = (values <= low) | (values >= high)
    ended = np.where(outside.any(axis=0), looks[outside.argmax(axis=0)], _HORIZON + 1)

    def at(share: float) -> int | None:
        blocks = int(np.quantile(ended, share, method="higher"))
        return None if blocks > _HORIZON else BLOCK * blocks

    return Remaining(BLOCK * test.fewest(scores), at(0.5), at(0.1), at(0.9), BLOCK * _HORIZON)


def _thinned(blocks: int, most: int) -> list[int]:
    """At most `most` + 1 numbers of blocks, evenly spaced from 0 to all."""
    return [*map(int, np.unique(np.linspace(0, blocks, most + 1).astype(np.int64)))]
