"""Whether predicted chances come true: log loss against a base rate, and reliability by bins.

A result counts 1 for a win, 0 for a loss and 1/2 for a draw, so a prediction is that of the mean
result. Results that share a block, such as a seed, vary together; standard errors and intervals
are those of clusters (Kish 1965).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.core.arrays import Booleans, Floats, Integers
from arena.stats.proportions import Interval, design_effect, wilson

EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the bins of a favourite's chance."""

SURE = 1e-6
"""A chance counts as no nearer to 0 or 1: one surprise would otherwise weigh more than all games
together."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Games whose favourite was given a chance from `low` to `high`: how many `games`, the mean of
    what was `predicted`, and what was `observed`, with its 95 % interval."""

    low: float
    high: float
    games: float
    predicted: float
    observed: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Calibration:
    """How predictions did in `games` games of `blocks` blocks.

    `loss` is the log loss, `base_loss` that of the base rate, in nats a game; `difference` is
    loss − base_loss (below 0: the predictions know something) and `error` its standard error.
    `bins` are the reliability table, `whole` all games in one bin.
    """

    games: int
    blocks: int
    loss: float
    base_loss: float
    difference: float
    error: float
    whole: ReliabilityBin
    bins: tuple[ReliabilityBin, ...]

    @property
    def overconfident(self) -> bool:
        """Whether favourites won less than was predicted, by more than chance explains."""
        return self.whole.predicted > self.whole.interval[1]

    @property
    def timid(self) -> bool:
        """Whether favourites won more than was predicted, by more than chance explains."""
        return self.whole.predicted < self.whole.interval[0]


def calibration(
    predicted: Floats, base: Floats, results: Floats, weights: Floats, blocks: Integers
) -> Calibration:
    """How chances `predicted` (n,) and `base` rates (n,) compare with `results` (n,) in [0, 1].

    A game of several comparisons shares its weight of 1 among its rows. Raises ValueError without
    any rows.
    """
    if not len(results):
        raise ValueError("no game was predicted: expected one at least")
    own, other = _loss(predicted, results), _loss(base, results)
    games = float(weights.sum())
    gain = own - other
    difference = float(weights @ gain) / games
    between, clusters = _between(gain - difference, weights, blocks)
    sides = predicted >= 0.5
    chance = np.where(sides, predicted, 1.0 - predicted)
    score = np.where(sides, results, 1.0 - results)
    upper = np.digitize(chance, EDGES[1:-1])
    return Calibration(
        games=round(games),
        blocks=clusters,
        loss=float(weights @ own) / games,
        base_loss=float(weights @ other) / games,
        difference=difference,
        error=float(np.sqrt(between * clusters / max(clusters - 1, 1))) / games,
        whole=_bin(
            (EDGES[0], EDGES[-1]), np.ones(len(chance), bool), chance, score, weights, blocks
        ),
        bins=tuple(
            _bin((EDGES[at], EDGES[at + 1]), upper == at, chance, score, weights, blocks)
            for at in range(len(EDGES) - 1)
            if (upper == at).any()
        ),
    )


def _loss(chance: Floats, results: Floats) -> Floats:
    p = np.clip(chance, SURE, 1.0 - SURE)
    loss: Floats = -(results * np.log(p) + (1.0 - results) * np.log(1.0 - p))
    return loss


def _between(deviations: Floats, weights: Floats, blocks: Integers) -> tuple[float, int]:
    """The sum of the squares of the blocks' sums, and the number of blocks."""
    _, number = np.unique(blocks, return_inverse=True)
    sums = np.bincount(number, weights * deviations)
    return float(sums @ sums), len(sums)


def _bin(
    span: Interval,
    chosen: Booleans,
    chance: Floats,
    score: Floats,
    weights: Floats,
    blocks: Integers,
) -> ReliabilityBin:
    weight, result = weights[chosen], score[chosen]
    games = float(weight.sum())
    mean = float(weight @ result) / games
    between, clusters = _between(result - mean, weight, blocks[chosen])
    effect = design_effect(mean, games, between, clusters)
    # Sums of shares of games may miss 0 and 1 in the last bit.
    mean = min(max(mean, 0.0), 1.0)
    return ReliabilityBin(
        low=span[0],
        high=span[1],
        games=games,
        predicted=float(weight @ chance[chosen]) / games,
        observed=mean,
        interval=wilson(mean, max(1, round(games / effect))),
    )
