"""Who scored what against whom: a score with its interval, from counts of games and of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from arena.stats.proportions import Interval, design_effect, wilson


class Cell(NamedTuple):
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


def cells_of(count: GameCount, whole: int) -> tuple[Cell, Cell]:
    """The mean over all games, `whole` being the score of one that is won, with Wilson's interval
    for as many independent games as would vary as much as these do; and that of the other one, who
    scores the rest of each game. There is at least one game."""
    games, score, most = count.games, count.score, whole * count.games
    # The sum over blocks of (score - mean of its games) squared, in whole numbers to the end: for
    # both the same.
    between = (
        count.score_squared * games**2
        - 2 * score * games * count.games_score
        + score**2 * count.games_squared
    ) / most**2
    return (
        _cell(score / most, games, between, count.blocks),
        _cell((most - score) / most, games, between, count.blocks),
    )


def _cell(mean: float, games: int, between: float, blocks: int) -> Cell:
    effect = design_effect(mean, games, between, blocks)
    return Cell(games, mean, wilson(mean, max(1, round(games / effect))), blocks)
