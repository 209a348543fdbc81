"""Covariates of known expectation: whether it is kept, and means that are adjusted by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.core.arrays import Floats, Integers


@dataclass(frozen=True, slots=True)
class Kept:
    """A test that scores are around what was expected, whoever made them: `p` of all agents
    together, and the `agent` that is furthest off, with its mean and the standard error of that."""

    p: float
    agent: int
    mean: float
    error: float


FEWEST_GAMES = 10
"""An agent with fewer is no part of the test: its own spread is not known."""


def expectation_kept(scores: Floats, agents: Integers, games: Integers) -> Kept:
    """Per seat a score less its expectation, NaN for none, the agent and the game.

    The sums of an agent's games are independent. If the expectation is kept, their mean over its
    standard error is Student's t; as normal deviates, the squares of those of all agents have a
    chi-squared distribution.
    """
    import numpy as np
    from scipy.special import chdtrc, ndtri, stdtr

    told = np.isfinite(scores)
    pairs, place = np.unique(np.stack([agents[told], games[told]]), axis=1, return_inverse=True)
    sums = np.bincount(place.ravel(), scores[told], minlength=pairs.shape[1])
    found = []
    for agent in np.unique(pairs[0]).tolist():
        own = sums[pairs[0] == agent]
        error = float(own.std(ddof=1)) / sqrt(len(own)) if len(own) >= FEWEST_GAMES else 0.0
        if error:
            low = float(stdtr(len(own) - 1, -abs(float(own.mean())) / error))
            found.append((float(ndtri(max(low, 1e-300))), agent, float(own.mean()), error))
    if not found:
        return Kept(1.0, -1, 0.0, 0.0)
    squares = sum(z * z for z, *_ in found)
    _, agent, mean, error = min(found)
    return Kept(float(chdtrc(len(found), squares)), agent, mean, error)


@dataclass(frozen=True, slots=True)
class AdjustedMean:
    """The mean of `scores` if the covariate had been what it was expected to be, with its 95 %
    `interval`; `saved` is the share of the mean's variance that this saves (below 0: it costs)."""

    score: float
    interval: tuple[float, float]
    saved: float
    blocks: int


FEWEST_BLOCKS = 10


def adjusted_mean(scores: Sequence[float], covariates: Sequence[float]) -> AdjustedMean | None:
    """Of independent blocks, the covariate's expectation being 0: the value at 0 of the line of
    least squares (Lavenberg and Welch 1981), with Student's interval. None of fewer blocks than
    FEWEST_BLOCKS, and where the scores or the covariate do not vary."""
    import numpy as np
    from scipy.special import stdtrit

    y, x = np.array(scores, np.float64), np.array(covariates, np.float64)
    n = len(y)
    if n < FEWEST_BLOCKS or len(x) != n:
        return None
    spread = float(((x - x.mean()) ** 2).sum())
    plain = float(y.var(ddof=1)) / n
    if spread <= 0.0 or plain <= 0.0:
        return None
    slope = float((x - x.mean()) @ y) / spread
    score = float(y.mean() - slope * x.mean())
    rest = float(((y - score - slope * x) ** 2).sum()) / (n - 2)
    variance = rest * (1 / n + float(x.mean()) ** 2 / spread)
    half = float(stdtrit(n - 2, 0.975)) * sqrt(variance)
    return AdjustedMean(score, (score - half, score + half), 1.0 - variance / plain, n)
