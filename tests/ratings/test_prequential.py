"""Predictions come from the games before, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games
from arena.core.ratings import OnlineRatingSystem, SequentialRatingSystem
from arena.ratings.openskill import OpenSkill
from arena.ratings.prediction import predict
from arena.ratings.prequential import base_rates, comparisons, first_games, points, predicted
from arena.ratings.probit import Probit
from arena.ratings.sides import TrueSkillSides
from arena.ratings.trueskill import TrueSkill
from proof.worlds import DUEL, FREE_FOR_ALL, MAFIA_35, World

SYSTEMS = (Probit(), TrueSkill(), TrueSkillSides(), OpenSkill())


def games(world: World, count: int, seed: int = 1) -> Games:
    rng = np.random.default_rng(seed)
    return world.truth(rng).play(count, rng)


def test_points_are_evenly_later() -> None:
    assert points(100) == [10, 13, 16, 20, 26, 32, 40, 51, 64, 80]
    assert points(1) == []


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
@pytest.mark.parametrize("world", [DUEL, MAFIA_35], ids=lambda world: world.name)
def test_what_comes_later_changes_no_prediction(system: object, world: World) -> None:
    played = games(world, 60)
    turned = np.array(played.ranks)
    turned[40 * len(world.seat_roles) :] = 1 - turned[40 * len(world.seat_roles) :]

    first, second = (
        predicted(system, each, comparisons(each))  # type: ignore[arg-type]
        for each in (played, replace(played, ranks=turned))
    )

    # From game 6 on; the result of game 40 is known from game 41 on, or the next fit.
    assert first[:35] == pytest.approx(second[:35])
    assert not np.allclose(first[-5:], second[-5:])


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_the_prediction_is_that_of_a_fit_to_the_games_before(system: object) -> None:
    played = games(DUEL, 50)
    asked = comparisons(played)
    chances = predicted(system, played, asked)  # type: ignore[arg-type]
    online = isinstance(system, OnlineRatingSystem | SequentialRatingSystem)

    # By now every agent has played.
    for at in (30, 37, len(asked) - 1):
        game = asked[at].game
        known = game if online else max(point for point in points(50) if point <= game)
        fitted = system.fit(first_games(played, known))  # type: ignore[attr-defined]
        first, draw, _ = predict(fitted, asked[at].teams)
        # The draw margin of a fold is as old as the last point.
        assert chances[at] == pytest.approx(first + draw / 2, abs=1e-3 if online else 1e-12)


def test_a_game_of_many_is_all_of_its_pairs() -> None:
    played = games(FREE_FOR_ALL, 20)
    asked = comparisons(played)

    assert len(asked) == 18 * 15
    assert sum(each.weight for each in asked) == pytest.approx(18)
    assert {each.result for each in asked} <= {0.0, 1.0}
    chances = predicted(TrueSkillSides(), played, asked)
    assert ((chances > 0) & (chances < 1)).all()


def test_the_base_rate_knows_roles_and_the_games_before() -> None:
    played = games(MAFIA_35, 200)
    asked = comparisons(played)
    rates = base_rates(asked)

    assert rates[0] == 0.5
    won = [each.result for each in asked]
    assert rates[-1] == pytest.approx((sum(won[:-1]) + 1) / (len(won) + 1))
    # Seats that are alike are worth the same.
    plain = replace(games(DUEL, 30), roles=(), role_names=())
    assert set(base_rates(comparisons(plain)).tolist()) == {0.5}


def test_an_agent_against_itself_is_not_predicted() -> None:
    mirror = Games([2] * 30, [1, 1] * 30, [0, 1] * 30, [0, 1] * 30)

    assert comparisons(mirror) == []
