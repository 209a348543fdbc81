"""What every test of A against B answers, and the block scores that it is asked with.

The unit is a block: the games that share a seed while A and B swap places. Its score for A is the
mean of A's results in them (won 1, drawn 1/2, lost 0), so that a block of g games has one of the
2g + 1 scores 0, 1/2g, ..., 1. Blocks are independent; the games within one are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite
from typing import TYPE_CHECKING, Protocol

from arena.core import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Decision(StrEnum):
    """What a test has found.

    `gsprt` accepts one of its hypotheses; `evalue` and `fixed` reject theirs, in the direction
    that `Verdict.favours` names, or have used up the blocks they were given (exhausted: that
    proves nothing).
    """

    UNDECIDED = "undecided"
    ACCEPT_H1 = "accept h1"
    ACCEPT_H0 = "accept h0"
    REJECT = "reject"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the blocks say, up to the one at which the test stopped.

    `statistic` is the log likelihood ratio (gsprt), the log of the e-value (evalue) or z (fixed),
    and the test stops when it leaves `bounds` (lower, upper). `favours` is 1 where the decision is
    for A, -1 where it is against A, 0 without one. `p` is valid whenever one looks, except for
    `fixed`. `estimate` is A's mean score over the `blocks` blocks (`games` games) used, None
    without any; a mean at a stopping time leans a little towards the decision. `interval` is a
    two-sided 95 % interval of A's expected score that holds at the stopping time. `unused` blocks
    came after the decision and were not looked at. `note` is a sentence for people, or empty.
    """

    test: str
    decision: Decision
    favours: int
    statistic: float
    bounds: tuple[float, float]
    p: float
    estimate: float | None
    interval: tuple[float, float]
    blocks: int
    games: int
    unused: int = 0
    note: str = ""

    @property
    def decided(self) -> bool:
        """Whether no further block is to be played for this test."""
        return self.decision is not Decision.UNDECIDED


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """The lowest and the highest score that a block may have had: equal where all its games have
    results. A void game leaves every result open."""

    low: float
    high: float


class SequentialTest(Protocol):
    """A test of A's expected score, asked as often as one likes."""

    @property
    def name(self) -> str: ...

    def verdict(self, scores: Sequence[float]) -> Verdict:
        """The verdict on the block scores in schedule order. A pure function; blocks after the one
        that decided are counted as `unused`. Raises UsageError for scores that a block of this
        many games cannot have (NaN among them)."""
        ...

    def fewest(self, scores: Sequence[float]) -> int:
        """The least number of further blocks after which the test could stop, whatever they bring:
        0 when it is decided, else at least 1. As many may be played at once without playing one
        too many."""
        ...

    def outcomes(self, ranges: Sequence[ScoreRange]) -> set[int]:
        """Every `favours` (1, -1, 0) that a verdict can have on blocks, in schedule order, with
        scores within these ranges. None is ever missing; the test says whether one too many may be
        there."""
        ...


def categories(games: int) -> Floats:
    """The scores (2 * games + 1,) that a block of `games` games can have."""
    import numpy as np

    return np.arange(2 * games + 1) / (2.0 * games)


def counts_of(scores: Sequence[float], games: int) -> tuple[int, ...]:
    """How many blocks have each score (2 * games + 1). Raises UsageError for scores that a block of
    this many games cannot have."""
    import numpy as np

    return tuple(np.bincount(positions(scores, games), minlength=2 * games + 1).tolist())


def positions(scores: Sequence[float], games: int) -> NDArray[np.int64]:
    """The category (n,) of each block score. Raises UsageError for a score that is none."""
    import numpy as np

    given = np.asarray(scores, dtype=np.float64).reshape(-1)
    places = np.where(np.isfinite(given), given, -1.0) * 2 * games
    nearest = np.rint(places)
    wrong = (np.abs(places - nearest) > 1e-6) | (nearest < 0) | (nearest > 2 * games)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise UsageError(
            f"block {at} has the score {float(given[at])!r}: a block of {games} games scores one "
            f"of 0, {1 / (2 * games):.4g}, {1 / games:.4g}, ... 1; leave out blocks with a void "
            "game"
        )
    return np.asarray(nearest, dtype=np.int64)


def running(places: NDArray[np.int64], games: int) -> Floats:
    """The counts (n + 1, 2 * games + 1) of the categories before the first block and after each."""
    import numpy as np

    counts = np.zeros((len(places) + 1, 2 * games + 1))
    counts[np.arange(1, len(places) + 1), places] = 1.0
    return np.cumsum(counts, axis=0)


def probability(value: float, name: str, most: float = 1.0) -> None:
    """Raises UsageError unless `value` lies strictly between 0 and `most`."""
    if not 0.0 < value < most:
        raise UsageError(f"{name} is {value!r}: it must lie between 0 and {most:g}, both excluded")


def whole(value: int | None, name: str) -> None:
    """Raises UsageError unless `value` is a whole number from 1, or None."""
    if value is not None and (isinstance(value, bool) or int(value) != value or value < 1):
        raise UsageError(f"{name} is {value!r}: it must be a whole number from 1")


def stop(outside: NDArray[np.bool_], most: int | None) -> tuple[int, bool]:
    """The number of blocks used and whether a bound stopped the test there: `outside` (n + 1,)
    says after how many blocks the statistic lay outside its bounds, `most` how many may be used."""
    import numpy as np

    last = len(outside) - 1 if most is None else min(len(outside) - 1, most)
    hits = np.flatnonzero(outside[: last + 1])
    return (int(hits[0]), True) if len(hits) else (last, False)


def reachable(
    upper: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    lower: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    most: int | None,
) -> set[int]:
    """Which bounds a statistic can reach first: 1 the upper, -1 the lower, 0 neither within `most`
    blocks. Each bound is given by two arrays (n + 1,): whether the statistic is surely beyond it
    after so many blocks, and whether it may be."""
    sure_up, may_up = (_first(outside, most) for outside in upper)
    sure_down, may_down = (_first(outside, most) for outside in lower)
    found = set()
    if may_up < sure_down:
        found.add(1)
    if may_down < sure_up:
        found.add(-1)
    return found if isfinite(min(sure_up, sure_down)) else found | {0}


def _first(outside: NDArray[np.bool_], most: int | None) -> float:
    """After how many blocks it holds first; infinity where it does not."""
    at, hit = stop(outside, most)
    return float(at) if hit else inf


def least(reached: Callable[[Floats], NDArray[np.bool_]], most: int | None) -> int:
    """The least number from 1 that `reached` (false, then true from there on), or `most` if that is
    less."""
    import numpy as np

    low, high = 0, 1
    while not reached(np.array([float(high)]))[0]:
        if most is not None and high >= most:
            return most
        low, high = high, high * 2
    while high - low > 1:
        steps = np.unique(np.linspace(low, high, 18).astype(np.int64)[1:])
        true = int(np.argmax(reached(steps.astype(np.float64))))
        low, high = (int(steps[true - 1]) if true else low), int(steps[true])
    return high if most is None else min(high, most)
