"""The test of a fixed size: one look, at a number of blocks stated before the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, copysign, inf, sqrt
from typing import TYPE_CHECKING

from arena.core import UsageError
from arena.stats.evalue import interval
from arena.stats.sequential import Decision, ScoreRange, Verdict, positions, probability, whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FixedSize:
    """Whether A's expected score differs from `h0`, two-sided at level `alpha`, after exactly
    `blocks` blocks of `games` games each: Student's t on the block scores, with a correction for
    their steps (see `score`).

    Where all blocks have the same score there is no t: by Markov's inequality n blocks that all
    score s > h0 have a probability of at most (h0 / s)^n, which is then the one-sided p. Its
    interval is then that of `evalue`. Raises UsageError for a test that cannot be made.
    """

    blocks: int
    h0: float = 0.5
    alpha: float = 0.05
    games: int = 2

    def __post_init__(self) -> None:
        whole(self.blocks, "blocks")
        whole(self.games, "games")
        probability(self.h0, "h0")
        probability(self.alpha, "alpha", 0.5)

    @property
    def name(self) -> str:
        return "fixed"

    def verdict(self, scores: Sequence[float]) -> Verdict:
        """The verdict on exactly the stated number of blocks. Raises UsageError for any other: who
        looks twice rejects a true hypothesis more often than alpha."""
        places = positions(scores, self.games)
        if len(places) != self.blocks:
            raise UsageError(
                f"a fixed-size test may look once, at the number of blocks stated before the "
                f"first: {self.blocks} were stated, {len(places)} are played. Play on to "
                f"{self.blocks * self.games} games, or use --test evalue, which may be looked at "
                "any time"
            )
        used = [float(score) for score in scores]
        mean = sum(used) / self.blocks
        statistic, bound, p, between = self._test(used, mean)
        rejected = p < self.alpha
        return Verdict(
            test=self.name,
            decision=Decision.REJECT if rejected else Decision.EXHAUSTED,
            favours=(1 if mean > self.h0 else -1) if rejected else 0,
            statistic=statistic,
            bounds=(-bound, bound),
            p=p,
            estimate=mean,
            interval=between,
            blocks=self.blocks,
            games=self.blocks * self.games,
            note="one look, at a number of blocks stated before",
        )

    def outcomes(self, ranges: Sequence[ScoreRange]) -> set[int]:
        """See `SequentialTest`; of as many blocks as there are ranges, whatever was stated. |t|
        falls as the squares of the scores rise at one sum: for every sum that can come about, the
        scores that spread least and most are tried. Exact but where the least spread is none: then
        the next one counts as possible too."""
        steps = 2 * self.games
        lows = positions([block.low for block in ranges], self.games).tolist()
        highs = positions([block.high for block in ranges], self.games).tolist()
        # By sum of the scores: the least and the most sum of squares, both in steps of a score.
        squares = {0: (0, 0)}
        for low, high in zip(lows, highs, strict=True):
            reached: dict[int, tuple[int, int]] = {}
            for total, (least, most) in squares.items():
                for place in range(low, high + 1):
                    at, square = total + place, place * place
                    known = reached.get(at, (least + square, most + square))
                    reached[at] = min(known[0], least + square), max(known[1], most + square)
            squares = reached
        n, found = len(ranges), set()
        for total, between in squares.items():
            alike = n * between[0] == total**2
            # Beside blocks that are all alike, the nearest are two of them a step apart from it.
            beside = {between[0] + 2} if alike and between[1] > between[0] else set()
            for square in {*between} | beside:
                mean, spread = total / n / steps, (square - total**2 / n) / steps**2
                p = (
                    self._alike(mean, n)
                    if n * square == total**2
                    else self._student(mean, spread, n)[1]
                )
                found.add((1 if mean > self.h0 else -1) if p < self.alpha else 0)
        return found

    def fewest(self, scores: Sequence[float]) -> int:
        """The blocks that are missing; 0 when there are enough."""
        return max(0, self.blocks - len(positions(scores, self.games)))

    def _test(
        self, scores: Sequence[float], mean: float
    ) -> tuple[float, float, float, tuple[float, float]]:
        """The statistic, its bound, p and the 95 % interval of the mean."""
        from scipy.special import ndtri, stdtrit

        if max(scores) == min(scores):
            p = self._alike(mean, self.blocks)
            z = copysign(float(-ndtri(p / 2)), mean - self.h0)
            return z, float(-ndtri(self.alpha / 2)), p, interval(scores, self.games)
        spread = sum((score - mean) ** 2 for score in scores)
        statistic, p = self._student(mean, spread, self.blocks)
        freedom = self.blocks - 1
        half = float(-stdtrit(freedom, 0.025)) * sqrt(spread / freedom / self.blocks)
        return (
            statistic,
            float(-stdtrit(freedom, self.alpha / 2)),
            p,
            (max(0.0, mean - half), min(1.0, mean + half)),
        )

    def _alike(self, mean: float, blocks: int) -> float:
        """The p of blocks that all have one score."""
        # The same bound for the score from the other side.
        high, low = (mean, self.h0) if mean > self.h0 else (1 - mean, 1 - self.h0)
        return min(1.0, 2.0 * (low / high) ** blocks)

    def _student(self, mean: float, spread: float, blocks: int) -> tuple[float, float]:
        """t and p of blocks with this mean and sum of squares around it."""
        from scipy.special import stdtr

        freedom = blocks - 1
        statistic = float(score(mean, spread / freedom, blocks, self.h0, self.games))
        return statistic, 2.0 * float(stdtr(freedom, -abs(statistic)))


def score(
    mean: Floats | float, variance: Floats | float, blocks: int, h0: float = 0.5, games: int = 2
) -> Floats:
    """Student's t (...) of `blocks` block scores with this mean and sample variance: its distance
    from h0 less half of the smallest step that the mean can take, so that a true hypothesis is
    not rejected more often than the level says."""
    import numpy as np

    distance = np.maximum(np.abs(np.asarray(mean) - h0) - 0.25 / (games * blocks), 0.0)
    return np.asarray(np.sign(np.asarray(mean) - h0) * distance / np.sqrt(variance / blocks))


def fixed_size(
    effect: float, variance: float, alpha: float = 0.05, power: float = 0.9, games: int = 2
) -> int:
    """The games that a two-sided test of a fixed size needs to reject with probability `power`:
    (z_{alpha/2} + z_{power})^2 * variance / effect^2 + z_{alpha/2}^2 / 2 blocks, of which the last
    term is what t needs beyond the normal distribution (Guenther 1981, The American Statistician
    35: 243-244).

    `effect` is the expected score minus the hypothesis, `variance` that of a block's score,
    `games` the games of a block. Raises UsageError for an effect of 0, which no size shows.
    """
    from scipy.special import ndtri

    probability(alpha, "alpha", 0.5)
    probability(power, "power")
    whole(games, "games")
    if not (abs(effect) > 0 and 0 <= variance < inf):
        raise UsageError(
            f"the effect is {effect!r} and the variance {variance!r}: no number of games shows an "
            "effect of 0; state the difference that would be worth knowing of"
        )
    level = float(ndtri(1 - alpha / 2))
    return games * ceil((level + float(ndtri(power))) ** 2 * variance / effect**2 + level**2 / 2)
