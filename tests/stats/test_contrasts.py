"""Shares compared inside their strata, all together."""

from __future__ import annotations

import numpy as np
import pytest

from arena.stats.contrasts import Contrast, contrasts, width
from arena.stats.false_discoveries import discoveries


def rows(*cells: tuple[int, int, int, float, float]) -> tuple[list[Contrast], int]:
    """The contrasts of (game, stratum, part, true, trials)."""
    game, stratum, part, true, trials = (np.array(column) for column in zip(*cells, strict=True))
    return contrasts(game, stratum, part, true.astype(float), trials.astype(float))


def test_a_difference_is_weighted_over_the_strata() -> None:
    # Stratum 0: 60 % of 30 against 20 % of 30; stratum 1: 50 % of 30 against 50 % of 90.
    cells = []
    for game in range(30):
        cells.append((game, 0, 0, 0.6, 1.0))
        cells.append((game, 0, 1, 0.2, 1.0))
        cells.append((game, 1, 0, 0.5, 1.0))
        cells.append((game, 1, 1, 1.5, 3.0))
    found, too_few = rows(*cells)
    assert too_few == 0
    assert [one.part for one in found] == [0], "two that only have each other are asked once"
    (one,) = found
    weights = 30 * 30 / 60, 30 * 90 / 120
    expected = (0.4 * weights[0] + 0.0 * weights[1]) / sum(weights)
    assert one.difference == pytest.approx(expected)
    assert (one.games, one.trials) == (30, 60)


def test_games_that_are_alike_inside_count_as_games() -> None:
    generator = np.random.default_rng(3)
    cells = []
    for game in range(80):
        mood = float(generator.integers(2))
        cells.append((game, 0, game % 2, 10 * mood, 10.0))
    (one,), _ = rows(*cells)
    independent = (2 * 0.25 / 400) ** 0.5
    assert one.error > 2.5 * independent, "ten equal trials of a game are as good as one"


def test_what_never_happened_is_not_taken_for_certain() -> None:
    cells = [(game, 0, game % 2, float(game % 2 and game < 12), 1.0) for game in range(80)]
    (one,), _ = rows(*cells)
    assert one.share == 0.0
    assert one.error > 0.03


def test_too_few_are_not_asked() -> None:
    assert rows(*((game, 0, game % 2, 1.0, 1.0) for game in range(30))) == ([], 2)
    half = [(game, 0, game % 2, float(game % 4 > 1), 1.0) for game in range(30)]
    assert rows(*half) == ([], 1)
    assert rows((0, 0, 0, 1.0, 1.0)) == ([], 1)


def test_an_interval_leaves_out_zero_exactly_if_it_is_found() -> None:
    generator = np.random.default_rng(5)
    for _ in range(200):
        size = int(generator.integers(1, 40))
        made = [
            Contrast(part, 0.5, 0.5, float(generator.normal(0, 4)), 1.0, 1.0, 1.0, 1)
            for part in range(size)
        ]
        is_found = discoveries(np.array([one.log_evalue for one in made]))
        wide = width(size, int(is_found.sum()))
        for one, yes in zip(made, is_found, strict=True):
            low, high = one.interval(wide)
            assert (low > 0 or high < 0) == bool(yes)


def test_where_nothing_differs_hardly_anything_is_found() -> None:
    generator = np.random.default_rng(8)
    wrong = 0
    for _ in range(60):
        game = np.repeat(np.arange(60), 6)
        part = np.tile(np.arange(6), 60)
        # Games have their own shares, and few trials come true.
        chance = np.repeat(generator.beta(1, 12, 60), 6)
        true = generator.binomial(8, chance).astype(float)
        found, _ = contrasts(game, game * 0, part, true, np.full(360, 8.0))
        wrong += bool(discoveries(np.array([one.log_evalue for one in found])).any())
    assert wrong <= 3, "of 60 times, at a level of 5 %"


def test_what_differs_is_found() -> None:
    generator = np.random.default_rng(9)
    game, part = np.repeat(np.arange(100), 5), np.tile(np.arange(5), 100)
    true = generator.binomial(5, np.where(part == 2, 0.5, 0.2)).astype(float)
    found, _ = contrasts(game, game * 0, part, true, np.full(500, 5.0))
    is_found = discoveries(np.array([one.log_evalue for one in found]))
    assert is_found[2]
    low, high = found[2].interval(width(5, int(is_found.sum())))
    assert low < 0.3 < high
