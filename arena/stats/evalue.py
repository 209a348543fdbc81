"""A test by betting that may be looked at after every block and stopped whenever one likes, and
the confidence sequence that goes with it.

Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting (JRSS B, 2024):
whoever bets against "the expected score is at most m" at fair odds, and never more than he has,
multiplies his wealth by 20 with a probability of at most 1/20, ever, where it is true. The bets
here are a fixed mixture of shares of the wealth: the wealth does then not depend on the order of
the blocks, and falls as m rises, so that what it does not reject is an interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Literal

from arena.core import UsageError
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

BetSide = Literal["both", "greater"]

# The shares of the wealth that are bet: equally many to every power of ten, because the best share
# is in proportion to an effect of unknown size.
_LEAST_SHARE, _MOST_SHARE, _SHARES = 0.03, 0.95, 16


@dataclass(frozen=True, slots=True)
class EValue:
    """Whether A's expected score differs from `h0` (side "both"), or lies above it ("greater").

    `alpha` is the probability of ever rejecting a true hypothesis, however often one looks.
    `games` is the number of games in a block. After `most` blocks without a decision the test is
    exhausted. Raises UsageError for hypotheses that cannot be tested.

    The `statistic` of a verdict is the log of the e-value; with two sides each has half of the
    stake, so that a side must reach 2 / alpha, and the test rejects exactly when its interval at
    level alpha leaves h0. The `p` is 1 / the highest e-value so far.
    """

    h0: float = 0.5
    alpha: float = 0.05
    side: BetSide = "both"
    games: int = 2
    most: int | None = None

    def __post_init__(self) -> None:
        probability(self.h0, "h0")
        probability(self.alpha, "alpha", 0.5)
        whole(self.games, "games")
        whole(self.most, "most")
        if self.side not in ("both", "greater"):
            raise UsageError(f"side is {self.side!r}: use both or greater")

    @property
    def name(self) -> str:
        return "evalue"

    @property
    def bounds(self) -> tuple[float, float]:
        """The log of the e-value rejects from the second on; nothing is ever accepted."""
        return -float("inf"), -log(self.alpha)

    def statistic(self, counts: Floats) -> Floats:
        """The log of the e-value (...) of blocks by score (..., 2 * games + 1)."""
        up, down = self._stakes(counts)
        return up if self.side == "greater" else _larger(up, down)

    def verdict(self, scores: Sequence[float]) -> Verdict:
        """See `SequentialTest`."""
        places = positions(scores, self.games)
        up, down = self._stakes(running(places, self.games))
        values = up if self.side == "greater" else _larger(up, down)
        at, stopped = stop(values >= self.bounds[1], self.most)
        decision = Decision.EXHAUSTED if at == self.most else Decision.UNDECIDED
        decision = Decision.REJECT if stopped else decision
        used = [float(score) for score in scores[:at]]
        return Verdict(
            test=self.name,
            decision=decision,
            favours=(1 if up[at] >= down[at] else -1) if stopped else 0,
            statistic=float(values[at]),
            bounds=self.bounds,
            p=min(1.0, exp(-float(values[: at + 1].max()))),
            estimate=sum(used) / at if at else None,
            interval=interval(used, self.games),
            blocks=at,
            games=at * self.games,
            unused=len(places) - at,
        )

    def fewest(self, scores: Sequence[float]) -> int:
        """See `SequentialTest`. Each block's factor rises with its score on the one side and falls
        on the other, so nothing is faster than a row of the highest or of the lowest."""
        import numpy as np

        if self.verdict(scores).decided:
            return 0
        counts = running(positions(scores, self.games), self.games)[-1]

        def reached(further: Floats) -> NDArray[np.bool_]:
            best = np.repeat(counts[None, :], len(further), axis=0)
            worst = best.copy()
            best[:, -1] += further
            worst[:, 0] += further
            up, down = self._stakes(best)[0], self._stakes(worst)[1]
            return np.asarray((up >= self.bounds[1]) | (down >= self.bounds[1]))

        return least(reached, None if self.most is None else self.most - len(scores))

    def outcomes(self, ranges: Sequence[ScoreRange]) -> set[int]:
        """See `SequentialTest`. Exact: the wealth of who bets on a higher score never falls as a
        block's score rises, so each side is highest and lowest at an end of every range."""
        worst, best = (
            self._stakes(running(positions(scores, self.games), self.games))
            for scores in ([block.low for block in ranges], [block.high for block in ranges])
        )
        bound = self.bounds[1]
        return reachable(
            (worst[0] >= bound, best[0] >= bound), (best[1] >= bound, worst[1] >= bound), self.most
        )

    def _stakes(self, counts: Floats) -> tuple[Floats, Floats]:
        """The log wealth of those who bet on a score above and below h0, as shares of one."""
        import numpy as np

        up = wealth(counts, self.h0)
        if self.side == "greater":
            return up, np.full_like(up, -np.inf)
        return up - log(2.0), wealth(counts[..., ::-1], 1.0 - self.h0) - log(2.0)


def wealth(counts: Floats, mean: float) -> Floats:
    """The log of the wealth (...) of who bets on an expected score above `mean`, from 1, given how
    many blocks (..., 2 * games + 1) had each score. It falls as `mean` rises."""
    import numpy as np

    scores = categories((counts.shape[-1] - 1) // 2)
    shares = _LEAST_SHARE * (_MOST_SHARE / _LEAST_SHARE) ** (np.arange(_SHARES) / (_SHARES - 1))
    factors = np.log1p(shares * (scores[:, None] / mean - 1.0))
    logs = counts @ factors
    most = logs.max(axis=-1, keepdims=True)
    return np.asarray(most[..., 0] + np.log(np.exp(logs - most).mean(axis=-1)))


def interval(scores: Sequence[float], games: int = 2, alpha: float = 0.05) -> tuple[float, float]:
    """The confidence sequence of A's expected score: with probability 1 - alpha it holds after
    every number of blocks at once, so at any stopping time. (0, 1) without blocks."""
    import numpy as np

    counts = np.bincount(positions(scores, games), minlength=2 * games + 1).astype(np.float64)
    return _lowest(counts, alpha), 1.0 - _lowest(counts[::-1], alpha)


def _lowest(counts: Floats, alpha: float) -> float:
    """The lowest mean at which half of the stake has not grown to 1 / alpha."""
    from scipy.optimize import brentq

    blocks, bound = counts.sum(), log(2.0 / alpha)
    if not blocks or counts[0] == blocks:
        return 0.0
    mean = float(counts @ categories((len(counts) - 1) // 2)) / blocks

    def excess(at: float) -> float:
        return float(wealth(counts, at)) - bound

    tiny = 1e-12
    # At the mean of the scores no bet has won anything: the bound lies below it.
    return float(brentq(excess, tiny, mean, xtol=1e-12)) if excess(tiny) > 0 else 0.0


def _larger(first: Floats, second: Floats) -> Floats:
    import numpy as np

    return np.maximum(first, second)
