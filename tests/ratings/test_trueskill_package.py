"""The package as a rating system: its own numbers, whatever happens in a game."""

from __future__ import annotations

import pytest

from arena.core import RatedPlayer, Rating
from arena.ratings.trueskill_package import TrueSkillPackage, load


def test_it_says_what_the_package_says_to_its_own_precision() -> None:
    players = [RatedPlayer(1, 0, 1), RatedPlayer(2, 1, 0), RatedPlayer(3, 1, 0)]
    ratings = {1: Rating(), 2: Rating(), 3: Rating(30.0, 4.0)}

    after = TrueSkillPackage().rate(players, ratings, 0.1)

    package = load().TrueSkill(draw_probability=0.1)
    (loser,), winners = package.rate(
        [(package.create_rating(),), (package.create_rating(), package.create_rating(30.0, 4.0))],
        ranks=[1, 0],
    )
    theirs = [loser, *winners]
    assert [after[k].mu for k in (1, 2, 3)] == pytest.approx([r.mu for r in theirs], abs=1e-4)
    assert [after[k].sigma for k in (1, 2, 3)] == pytest.approx([r.sigma for r in theirs], abs=1e-4)


def test_a_game_beyond_its_arithmetic_moves_nothing() -> None:
    players = [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1)]
    ratings = {1: Rating(0.0, 1.0), 2: Rating(1000.0, 1.0)}

    assert TrueSkillPackage().rate(players, ratings, 0.1) == ratings
