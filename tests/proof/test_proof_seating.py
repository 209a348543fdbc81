"""The proof of seatings counts games as the formulas say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core.ratings import BETA
from arena.stats.plan import information
from proof.seating import (
    DIFFERENCE,
    average,
    chances,
    measure,
    mirrored,
    power,
    random_seats,
    single,
    swapped,
)
from proof.worlds import MAFIA_50

EQUAL = replace(MAFIA_50, skill_sd=0.0)


def test_two_players_need_the_games_of_the_textbook() -> None:
    assert single().needed == 1_043
    assert mirrored(0.6, 0.0).needed == 1_004
    assert power(single(), 2_000, 1) == pytest.approx(0.9, abs=0.03)


def test_among_equals_games_needed_follow_from_the_information_of_a_game() -> None:
    found = chances(EQUAL, DIFFERENCE, 20, 2_000, 1)

    clones, opposite = swapped(found.clones), swapped(found.opposite)
    random = random_seats(found.first, found.second)

    # (1.960 + 1.282)² / (what the games say of a difference of this size).
    for blocks, seating in ((clones, "clones"), (opposite, "opposite"), (random, "random")):
        least = 10.507 / (information(seating, (4, 2)) * DIFFERENCE**2)
        assert blocks.needed == pytest.approx(least, rel=0.06)
    assert random.needed / clones.needed == pytest.approx(36, rel=0.06)


def test_nobody_better_shows_no_effect() -> None:
    found = chances(EQUAL, 0.0, 2, 100, 1)

    assert swapped(found.opposite).effect == pytest.approx(0.0, abs=1e-12)
    assert random_seats(found.first, found.second).effect == pytest.approx(0.0, abs=1e-12)


def test_the_difference_wins_55_percent_between_two() -> None:
    from scipy.special import ndtr

    assert float(ndtr(DIFFERENCE / (BETA * np.sqrt(2)))) == pytest.approx(0.55)


@pytest.mark.slow
def test_the_result_depends_on_the_seed_and_not_on_the_processes() -> None:
    alone, together = (average([(MAFIA_50, 1.0)], 8, 3, processes)[0] for processes in (1, 2))

    assert alone.opposite.tolist() == together.opposite.tolist()


def test_a_small_proof_keeps_its_promises() -> None:
    part = measure(scale=0.02, processes=1)

    ratios = [figure for figure in part.figures if figure.what.startswith("games")]
    assert len(ratios) == 11
    assert all(figure.met for figure in ratios)
    assert "beta" in part.setting
