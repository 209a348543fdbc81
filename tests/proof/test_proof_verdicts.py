"""The proof of verdicts plays the worlds in which they would be wrong without their warnings."""

from __future__ import annotations

import numpy as np
import pytest

from proof.verdict_worlds import Job, pair_scores, play_errors, play_singles, play_voids
from proof.verdicts import measure


def seed(number: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(number)


def test_pairs_have_the_seat_and_the_edge_that_they_are_made_for() -> None:
    games = pair_scores(40_000, 0.0, np.random.default_rng(1))
    assert games.mean(axis=0) == pytest.approx([0.6, 0.4], abs=0.01)
    # A seed's luck is with the same seat in both games.
    assert np.corrcoef(games.T)[0, 1] < -0.1
    assert pair_scores(40_000, 0.5, np.random.default_rng(1)).mean() > 0.6


def test_void_losses_make_equals_different_and_hardly_one_is_said_to_stand() -> None:
    found = play_voids(Job("gsprt, a tenth of A's losses, 0", 24, seed(1)))

    better = [stands for favours, stands in found if favours > 0]
    assert len(better) >= 6
    assert sum(better) <= 2


def test_single_games_of_one_seat_make_equals_different_and_pairs_do_not() -> None:
    always = play_singles(Job("always", 8, seed(1)))
    mostly = play_singles(Job("in four of five", 30, seed(2)))

    assert sum(alone for alone, _ in always) >= 4
    assert not any(paired for _, paired in always)
    assert sum(paired for _, paired in mostly) <= 3


def test_leaving_errors_out_gains_what_they_would_have_lost() -> None:
    (losses, draws, left_out) = np.mean(play_errors(Job("gives up", 6, seed(3))), axis=0)

    assert abs(losses) < 0.25
    assert left_out > losses + 0.2
    assert draws > losses + 0.2


@pytest.mark.sweep
@pytest.mark.slow
def test_every_world_has_its_figures() -> None:
    found = measure(scale=0.0001, processes=1)

    assert len(found.figures) == 28
    assert all(np.isfinite(figure.value) for figure in found.figures)
    assert [len(row) for row in found.tables[0].rows] == [4] * 6
