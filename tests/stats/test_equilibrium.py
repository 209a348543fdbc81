"""Deviation ratings: who beats the mix that nothing beats, and why clones change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.stats.equilibrium import deviation_ratings

ROCK_PAPER_SCISSORS = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])


def test_in_a_ladder_it_is_the_distance_to_the_best() -> None:
    skill = np.array([3.0, 5.0, 1.0])

    assert deviation_ratings(skill[:, None] - skill) == pytest.approx([-2.0, 0.0, -4.0])


def test_nobody_falls_short_in_a_cycle_but_who_loses_to_all_of_it() -> None:
    matrix = np.zeros((4, 4))
    matrix[:3, :3] = ROCK_PAPER_SCISSORS
    matrix[3, :3], matrix[:3, 3] = -0.5, 0.5

    assert deviation_ratings(ROCK_PAPER_SCISSORS) == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)
    assert deviation_ratings(matrix) == pytest.approx([0.0, 0.0, 0.0, -0.5], abs=1e-6)


def test_a_pool_full_of_rock_makes_paper_no_better() -> None:
    # The mean result says otherwise: paper beats most of the pool.
    pool = [0] * 8 + [1, 2]
    matrix = ROCK_PAPER_SCISSORS[np.ix_(pool, pool)]

    assert np.argmax(matrix.mean(axis=1)) == 8
    assert deviation_ratings(matrix) == pytest.approx(np.zeros(10), abs=1e-6)


@given(st.integers(0, 100_000), st.integers(2, 7), st.sampled_from([0.0, 0.3, 2.0]), st.booleans())
@settings(deadline=None, max_examples=25)
def test_clones_move_nobody(seed: int, agents: int, cycles: float, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    skill = rng.normal(size=agents)
    upper = np.triu(rng.normal(0, cycles, (agents, agents)), 1)
    matrix = skill[:, None] - skill + upper - upper.T
    if ties:
        matrix = np.round(matrix)
    pool = np.concatenate([np.arange(agents), rng.integers(agents, size=rng.integers(1, 5))])

    alone = deviation_ratings(matrix)
    crowded = deviation_ratings(matrix[np.ix_(pool, pool)])

    scale = max(1.0, float(np.abs(matrix).max()))
    assert crowded == pytest.approx(alone[pool], abs=1e-4 * scale)
    assert alone.max() == pytest.approx(0.0, abs=1e-6)


def test_what_is_no_game_of_two_equal_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="not the other side's disadvantage"):
        deviation_ratings(np.ones((2, 2)))
    with pytest.raises(ValueError, match="expected"):
        deviation_ratings(np.full((2, 2), np.nan))
    assert deviation_ratings(np.zeros((3, 3))).tolist() == [0.0, 0.0, 0.0]
