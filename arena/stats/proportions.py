"""Shares won and their 95 % intervals: of one set of games, and of the difference of two.

A draw is half a win. Its share varies less than the formulas assume, which were made for wins and
losses alone: with draws the intervals are a little too wide, never too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

Interval = tuple[float, float]

# The 97.5 % quantile of the normal distribution.
_Z = 1.959963984540054

# How many blocks' worth of belief that the games of a block are independent goes into an interval
# before the blocks themselves have shown how alike they are.
_BELIEF = 10


def share(scores: Sequence[float]) -> float | None:
    """The mean of scores from 0 (lost) to 1 (won); None without any."""
    return sum(scores) / len(scores) if scores else None


def wilson(share: float, games: float) -> Interval:
    """The score interval of a share won in `games` games, one or more (Wilson 1927); of games that
    depend on each other, their effective number."""
    middle = share + _Z**2 / (2 * games)
    half = _Z * sqrt(share * (1 - share) / games + _Z**2 / (4 * games**2))
    scale = 1 + _Z**2 / games
    # At the ends of the scale the bound is exact, and rounding would miss it.
    low = 0.0 if share <= 0.0 else (middle - half) / scale
    high = 1.0 if share >= 1.0 else (middle + half) / scale
    return low, high


def design_effect(share: float, games: float, between: float, blocks: int) -> float:
    """How many times as much the share of `games` games in `blocks` blocks varies as that of
    independent games (Kish 1965), shrunk towards 1 while there are few blocks.

    `between` is the sum over the blocks of (the sum of score - share over its games) squared.
    """
    if blocks < 2 or not 0 < share < 1:
        return 1.0
    varied = between * blocks / (blocks - 1) / games**2
    measured = varied / (share * (1 - share) / games)
    return (_BELIEF + (blocks - 1) * measured) / (_BELIEF + blocks - 1)


def newcombe(first: float, first_games: int, second: float, second_games: int) -> Interval:
    """The hybrid score interval of `first - second`, two independent shares (Newcombe 1998,
    Statistics in Medicine 17: 873-890, method 10)."""
    low, high = wilson(first, first_games)
    other_low, other_high = wilson(second, second_games)
    difference = first - second
    return (
        difference - sqrt((first - low) ** 2 + (other_high - second) ** 2),
        difference + sqrt((high - first) ** 2 + (second - other_low) ** 2),
    )
