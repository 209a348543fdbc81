"""Who scored what against whom: a score with its interval, from counts of games and of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from arena.stats.proportions import Interval, design_effect, wilson


@dataclass(frozen=True, slots=True)
class Cell:
    """`games` games, `score` the mean result (won 1, drawn 1/2, lost 0) with its 95 % `interval`,
    over `blocks` groups of games that share a seed."""

    games: int
    score: float
    interval: Interval
    blocks: int


@dataclass(frozen=True, slots=True)
class HeadToHead:
    """`cells[row, column]` for those that have games; `rows` are agent_ids in ascending order,
    `columns` are agent_ids, roles or teams in ascending order."""

    rows: tuple[int, ...]
    columns: tuple[int | str, ...]
    cells: Mapping[tuple[int, int | str], Cell]


class GameCount(Protocol):
    """`games` in `blocks` blocks, and what they scored; then sums over blocks: of the square of its
    games, of its games times its score, and of the square of its score."""

    @property
    def games(self) -> int: ...
    @property
    def blocks(self) -> int: ...
    @property
    def score(self) -> int: ...
    @property
    def games_squared(self) -> int: ...
    @property
    def games_score(self) -> int: ...
    @property
    def score_squared(self) -> int: ...


def cell(count: GameCount, whole: int) -> Cell:
    """The mean over all games, `whole` being the score of one that is won, with Wilson's interval
    for as many independent games as would vary as much as these do. There is at least one game."""
    games, score = count.games, count.score
    mean = score / (whole * games)
    # The sum over blocks of (score - mean of its games) squared, in whole numbers to the end.
    between = (
        count.score_squared * games**2
        - 2 * score * games * count.games_score
        + score**2 * count.games_squared
    ) / (whole * games) ** 2
    effect = design_effect(mean, games, between, count.blocks)
    return Cell(games, mean, wilson(mean, max(1, round(games / effect))), count.blocks)
