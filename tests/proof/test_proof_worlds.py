"""The worlds of the proofs are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core.ratings import BETA
from proof.worlds import (
    DUEL,
    FREE_FOR_ALL,
    MAFIA_35,
    WORLDS,
    Composition,
    World,
    regret,
    role_specific,
)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_games_have_seats_teams_and_roles(world: World) -> None:
    rng = np.random.default_rng(1)
    truth = world.truth(rng)

    games = truth.play(50, rng)

    assert len(games) == 50
    assert {games.role_names[role] for role in games.roles} == set(world.roles)
    for game in games:
        assert len({player.agent_id for player in game}) == len(game)
        assert len({player.team for player in game}) == len(world.teams)
    assert truth.by_role.mean(axis=0) == pytest.approx(np.zeros(len(world.roles)), abs=1e-9)


@pytest.mark.parametrize(("world", "wins"), [(MAFIA_35, 0.35), (DUEL, 0.60)])
@pytest.mark.parametrize("margin", [0.0, 2.0])
def test_equals_win_as_often_as_said(world: World, wins: float, margin: float) -> None:
    rng = np.random.default_rng(2)
    truth = replace(world, skill_sd=0.0, margin=margin).truth(rng)
    lineups = truth.lineups(20_000, rng)

    games = truth.play(lineups, rng)

    first = np.asarray(games.ranks).reshape(20_000, -1)
    score = np.mean(first[:, 0] < first[:, -1]) + np.mean(first[:, 0] == first[:, -1]) / 2
    assert truth.probability(lineups[:1])[0] == pytest.approx(wins)
    assert score == pytest.approx(wins, abs=0.015)


def test_a_coin_flip_costs_128_millinats() -> None:
    rng = np.random.default_rng(3)
    costs = []
    for _ in range(150):
        truth = MAFIA_35.truth(rng)
        probability = truth.probability(truth.lineups(100, rng))
        costs.append(regret(probability, np.full(100, 0.5)))

    assert np.mean(costs) == pytest.approx(128.0, abs=12.0)


def test_results_follow_the_probability() -> None:
    rng = np.random.default_rng(4)
    truth = role_specific(MAFIA_35).truth(rng)
    lineups = np.repeat(truth.lineups(1, rng), 20_000, axis=0)

    ranks = np.asarray(truth.play(lineups, rng).ranks).reshape(20_000, -1)

    assert np.mean(ranks[:, 0] == 0) == pytest.approx(truth.probability(lineups)[0], abs=0.015)


def test_the_first_seat_of_a_free_for_all_is_worth_something() -> None:
    rng = np.random.default_rng(5)
    ranks = np.asarray(FREE_FOR_ALL.truth(rng).play(4_000, rng).ranks).reshape(-1, 6)

    assert ranks[:, 0].mean() < 2.45 < 2.55 < ranks[:, 5].mean()


def test_composed_agents_are_different_combinations() -> None:
    world = replace(MAFIA_35, composition=Composition(interaction=0.1 * BETA))
    truth = world.truth(np.random.default_rng(6))
    assert truth.parts is not None

    assert len(set(truth.parts.names().values())) == 12
    assert len(truth.parts.unplayed()) == 32 - 12
    skill = truth.parts.skill(truth.parts.combinations)
    assert truth.overall == pytest.approx(skill - skill.mean())
