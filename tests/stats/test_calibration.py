"""Predicted chances and what came of them."""

from __future__ import annotations

import numpy as np
import pytest

from arena.stats.calibration import Calibration, calibration


def of(
    predicted: np.ndarray, results: np.ndarray, base: float = 0.5, blocks: np.ndarray | None = None
) -> Calibration:
    n = len(results)
    blocks = np.arange(n) if blocks is None else blocks
    return calibration(predicted, np.full(n, base), results, np.ones(n), blocks)


def test_a_table_of_four_games() -> None:
    found = of(np.array([0.8, 0.8, 0.2, 0.55]), np.array([1.0, 0.0, 0.0, 0.5]))

    expected = [0.8, 0.2, 0.8]
    draw = (np.log(0.55) + np.log(0.45)) / 2
    assert found.loss == pytest.approx(-(np.log(expected).sum() + draw) / 4)
    assert found.base_loss == pytest.approx(np.log(2))
    assert found.difference == pytest.approx(found.loss - found.base_loss)
    # The game whose second side was likelier is counted for that side.
    assert [(each.low, each.games, each.observed) for each in found.bins] == [
        (0.5, 1.0, 0.5),
        (0.8, 3.0, pytest.approx(2 / 3)),
    ]
    assert found.whole.predicted == pytest.approx((0.8 * 3 + 0.55) / 4)


def test_favourites_who_win_too_seldom_or_too_often_are_told() -> None:
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.3, 0.7, 2_000)
    results = (rng.random(2_000) < truth).astype(float)
    logit = np.log(truth / (1 - truth))

    honest, sure, timid = (of(1 / (1 + np.exp(-k * logit)), results) for k in (1.0, 3.0, 0.2))

    assert (honest.overconfident, honest.timid) == (False, False)
    assert (sure.overconfident, sure.timid) == (True, False)
    assert (timid.overconfident, timid.timid) == (False, True)
    assert honest.loss < min(sure.loss, timid.loss)


def test_games_of_one_seed_that_end_alike_are_one_piece_of_evidence() -> None:
    rng = np.random.default_rng(2)
    predicted = np.repeat(rng.uniform(0.5, 0.9, 100), 10)
    results = np.repeat((rng.random(100) < 0.7).astype(float), 10)

    alone = of(predicted, results)
    together = of(predicted, results, blocks=np.repeat(np.arange(100), 10))

    assert together.error == pytest.approx(alone.error * np.sqrt(10), rel=0.02)
    width = [high - low for low, high in (alone.whole.interval, together.whole.interval)]
    assert width[1] > 2.5 * width[0]
    assert (alone.blocks, together.blocks) == (1_000, 100)


def test_certainty_that_is_wrong_stays_finite_and_no_game_is_an_error() -> None:
    assert np.isfinite(of(np.array([1.0, 0.0]), np.array([0.0, 1.0])).loss)
    with pytest.raises(ValueError, match="no game was predicted"):
        of(np.array([]), np.array([]))
