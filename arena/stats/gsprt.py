"""The generalised sequential probability ratio test: stops as soon as one of two stated expected
scores is shown, with the exact multinomial likelihood of the block scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

from arena.core import UsageError
from arena.stats.evalue import interval
from arena.stats.sequential import (
    Decision,
    ScoreRange,
    Verdict,
    categories,
    least,
    positions,
    probability,
    reachable,
    running,
    stop,
    whole,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# What an empty category counts as, as in fishtest's LLRcalc.regularize.
_EMPTY = 1e-3

# The likelihood is maximised over the shapes of two distributions, which makes a few early blocks
# look surer than they are. In simulation (proof/compare.py) Wald's bounds alone let up to 5.1 %
# through at alpha 5 %, those for 19/20 of alpha and beta less than 5 %, at 2 % more games.
_CAUTION = 0.95


@dataclass(frozen=True, slots=True)
class GSPRT:
    """A's expected score is `h0` (or less) against `h1` (or more).

    `alpha` is the probability of accepting h1 where h0 is true, `beta` of accepting h0 where h1
    is: by Wald's bounds for a little less than either. `games` is the number of games in a block.
    After `most` blocks without a decision the test is exhausted. h0=.45, h1=.55 asks who is
    better. Raises UsageError for hypotheses that cannot be tested.

    The `p` of a verdict is the least alpha at which this test, beta unchanged, would have accepted
    h1 by now. The interval is the confidence sequence of `evalue`: it holds at any stopping time,
    and is wider than one that is made for this test would be.
    """

    h0: float = 0.5
    h1: float = 0.55
    alpha: float = 0.05
    beta: float = 0.05
    games: int = 2
    most: int | None = None

    def __post_init__(self) -> None:
        probability(self.h0, "h0")
        probability(self.h1, "h1")
        probability(self.alpha, "alpha", 0.5)
        probability(self.beta, "beta", 0.5)
        whole(self.games, "games")
        whole(self.most, "most")
        if not self.h0 < self.h1:
            raise UsageError(
                f"h0 is {self.h0} and h1 is {self.h1}: h1 is the score that would be worth "
                "knowing of, and must be above h0, such as --h0 0.5 --h1 0.55"
            )

    @property
    def name(self) -> str:
        return "gsprt"

    @property
    def bounds(self) -> tuple[float, float]:
        """The log likelihood ratio accepts h0 up to the first, h1 from the second on."""
        alpha, beta = _CAUTION * self.alpha, _CAUTION * self.beta
        return log(beta / (1 - alpha)), log((1 - beta) / alpha)

    def statistic(self, counts: Floats) -> Floats:
        """The log likelihood ratio (...) of blocks by score (..., 2 * games + 1)."""
        return likelihood_ratio(counts, self.h0, self.h1)

    def verdict(self, scores: Sequence[float]) -> Verdict:
        """See `SequentialTest`."""
        places = positions(scores, self.games)
        ratios = self.statistic(running(places, self.games))
        low, high = self.bounds
        at, stopped = stop((ratios <= low) | (ratios >= high), self.most)
        ratio = float(ratios[at])
        decision = Decision.EXHAUSTED if at == self.most else Decision.UNDECIDED
        if stopped:
            decision = Decision.ACCEPT_H1 if ratio >= high else Decision.ACCEPT_H0
        favours = {Decision.ACCEPT_H1: 1, Decision.ACCEPT_H0: -1}.get(decision, 0)
        used = [float(score) for score in scores[:at]]
        return Verdict(
            test=self.name,
            decision=decision,
            favours=favours,
            statistic=ratio,
            bounds=self.bounds,
            p=self._p(float(ratios[: at + 1].max())) if at else 1.0,
            estimate=sum(used) / at if at else None,
            interval=interval(used, self.games),
            blocks=at,
            games=at * self.games,
            unused=len(places) - at,
        )

    def fewest(self, scores: Sequence[float]) -> int:
        """See `SequentialTest`.

        The derivative of the log likelihood ratio by the count of a category rises with its score,
        and is above 0 for the highest: no scores reach the upper bound before a row of the highest
        does, and none the lower one before a row of the lowest.
        """
        import numpy as np

        if self.verdict(scores).decided:
            return 0
        counts = running(positions(scores, self.games), self.games)[-1]
        counts = np.where(counts > 0, counts, _EMPTY)
        low, high = self.bounds

        def reached(further: Floats) -> NDArray[np.bool_]:
            best = np.repeat(counts[None, :], len(further), axis=0)
            worst = best.copy()
            best[:, -1] += further
            worst[:, 0] += further
            return np.asarray(
                (likelihood_ratio(best, self.h0, self.h1) >= high)
                | (likelihood_ratio(worst, self.h0, self.h1) <= low)
            )

        return least(reached, None if self.most is None else self.most - len(scores))

    def outcomes(self, ranges: Sequence[ScoreRange]) -> set[int]:
        """See `SequentialTest`. The ratio never falls as a block's score rises (see `fewest`), but
        for what empty categories count as: by `_slack` at most, which is allowed for, so that a
        case within it of a bound may be named although no scores lead to it."""
        import numpy as np

        worst, best = (
            running(positions(scores, self.games), self.games)
            for scores in ([block.low for block in ranges], [block.high for block in ranges])
        )
        slack = np.where((worst == best).all(axis=1), 0.0, self._slack(len(ranges)))
        least_ratio = likelihood_ratio(worst, self.h0, self.h1) - slack
        most_ratio = likelihood_ratio(best, self.h0, self.h1) + slack
        low, high = self.bounds
        return reachable(
            (least_ratio >= high, most_ratio >= high),
            (most_ratio <= low, least_ratio <= low),
            self.most,
        )

    def _slack(self, blocks: int) -> float:
        """The most that the weights of empty categories can move the ratio by.

        Its derivative by a weight is log(tilt0 / tilt1) of that category. A tilt is at most 1 over
        a hypothesis' distance from the nearer end of the scale, and at least the least weight's
        share of all weights, because the category's probability is that share over the tilt.
        """
        ends = min(self.h0, 1 - self.h0, self.h1, 1 - self.h1)
        categories = 2 * self.games + 1
        return _EMPTY * categories * (log((blocks + 1) / _EMPTY) - log(ends))

    def _p(self, highest: float) -> float:
        """The alpha whose upper bound is the highest ratio so far."""
        return min(1.0, (1 - _CAUTION * self.beta) * exp(-highest) / _CAUTION)


def likelihood_ratio(counts: Floats, h0: float, h1: float) -> Floats:
    """The log likelihood ratio (...) of expected score h1 against h0, given how many blocks
    (..., 2 * games + 1) had each score: each hypothesis takes the distribution of block scores
    that suits it best among those with its mean.

    Van den Bergh, A practical introduction to the GSPRT (2020), as fishtest computes it, empty
    categories counted as one in a thousand.
    """
    import numpy as np

    scores = categories((counts.shape[-1] - 1) // 2)
    weights = np.where(counts > 0, counts, _EMPTY)
    tilt0 = 1.0 + _tilt(weights, scores - h0)[..., None] * (scores - h0)
    tilt1 = 1.0 + _tilt(weights, scores - h1)[..., None] * (scores - h1)
    ratio = (weights * np.log(tilt0 / tilt1)).sum(axis=-1)
    return np.where(counts.sum(axis=-1) > 0, ratio, 0.0)


def _tilt(weights: Floats, distance: Floats) -> Floats:
    """The one root x of sum(weights * distance / (1 + x * distance)) that keeps every term
    positive: the likeliest distribution with mean 0 of `distance` is weights / (1 + x distance).
    Newton's method, held between bounds that it tightens."""
    import numpy as np

    shape = weights.shape[:-1]
    first, last = -1.0 / distance[-1], -1.0 / distance[0]
    low, high, at = np.full(shape, first), np.full(shape, last), np.zeros(shape)
    for _ in range(100):
        ratio = distance / (1.0 + at[..., None] * distance)
        value = (weights * ratio).sum(axis=-1)
        low = np.where(value > 0, at, low)
        high = np.where(value > 0, high, at)
        moved = at + value / (weights * ratio**2).sum(axis=-1)
        # At the outermost bounds a term is infinite; at those found since, it may already be right.
        inside = (moved >= low) & (moved <= high) & (moved > first) & (moved < last)
        moved = np.where(inside, moved, (low + high) / 2)
        done = np.all(np.abs(moved - at) <= 1e-13 * (1.0 + np.abs(at)))
        at = moved
        if done:
            break
    return at
