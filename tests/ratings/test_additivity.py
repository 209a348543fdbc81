"""The test that skills add up, and the fit that does without."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from arena.core import Games, Ratings
from arena.core.ratings import BETA
from arena.ratings.additivity import additivity
from arena.ratings.fit.design import seats
from arena.ratings.fit.opponents import opponents
from arena.ratings.pairwise import advantages
from arena.ratings.probit import Probit
from proof.additivity import cycle_of, duels
from proof.worlds import MAFIA_35


def p_of(games: Games) -> float:
    found = additivity(games, Probit().fit(games))
    assert found is not None
    return found.p


def test_a_cycle_is_found_and_skills_alone_are_not() -> None:
    rng = np.random.default_rng(4)
    skill = rng.normal(0, 0.65 * BETA, 12)
    ladder = skill[:, None] - skill
    alarms, found = [], []
    for _ in range(8):
        alarms.append(p_of(duels(ladder, 400, rng)) < 0.05)
        found.append(p_of(duels(ladder + cycle_of(12, BETA), 400, rng)) < 0.05)

    assert sum(alarms) <= 2
    assert sum(found) >= 7


def test_the_test_needs_a_pair_that_nothing_else_explains() -> None:
    rng = np.random.default_rng(1)
    two = duels(np.zeros((2, 2)), 50, rng)
    teams = MAFIA_35.truth(rng).play(200, rng)

    assert additivity(two, Probit().fit(two)) is None
    tested = additivity(teams, Probit().fit(teams))
    assert tested is not None
    assert tested.effects == 66
    logistic = Ratings("x", {}, np.zeros(0), np.zeros((0, 0)), link="logistic")
    with pytest.raises(ValueError, match="logistic"):
        additivity(teams, logistic)


def test_the_order_of_seats_and_teams_is_no_matter() -> None:
    rng = np.random.default_rng(2)
    games = duels(cycle_of(6, BETA), 120, rng)
    turned = replace(
        games,
        **{
            name: np.asarray(getattr(games, name)).reshape(-1, 2)[:, ::-1].ravel()
            for name in ("agents", "teams", "ranks", "roles")
        },
    )

    assert p_of(turned) == pytest.approx(p_of(games), rel=1e-6)


def test_seats_against_each_other_are_pairs_and_team_mates_are_not() -> None:
    # Agents 5 and 7 against 3, who has two seats.
    met = opponents(seats(Games([4], [5, 3, 7, 3], [0, 1, 0, 1], [0, 1, 0, 1])))

    assert [(int(a), int(b)) for a, b in zip(met.first, met.second, strict=True)] == [
        (0, 1),
        (0, 2),
    ]
    assert met.matrix.toarray().tolist() == [[-1.0, -1.0], [1.0, 1.0]]


def test_advantages_are_found_with_their_intervals() -> None:
    rng = np.random.default_rng(3)
    skill = rng.normal(0, 0.65 * BETA, 9)
    truth = skill[:, None] - skill + cycle_of(9, BETA)
    found = advantages(duels(truth, 1_500, rng))

    above = np.triu_indices(9, 1)
    assert np.corrcoef(found.mean[above], truth[above])[0, 1] > 0.9
    assert found.mean == pytest.approx(-found.mean.T)
    drawn = found.draws(200, 5)
    assert drawn == pytest.approx(-drawn.transpose(0, 2, 1))
    assert np.array_equal(drawn, found.draws(200, 5))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    assert np.mean(((low < truth) & (truth < high))[above]) > 0.85


def test_a_pair_that_never_met_is_known_less_well() -> None:
    # A beats B, B beats C, and A never met C; D met everybody.
    rounds = [(0, 1), (1, 2), (0, 3), (1, 3), (2, 3)]
    agents = np.array([pair for pair in rounds for _ in range(60)])
    rng = np.random.default_rng(1)
    won = rng.random(len(agents)) < 0.7
    games = Games(
        [2] * len(agents), agents.ravel(), [0, 1] * len(agents),
        np.stack([~won, won], axis=1).astype(int).ravel(),
    )  # fmt: skip

    spread = advantages(games).draws(400, 1).std(axis=0)

    assert spread[0, 2] > spread[0, 1]


def test_one_agent_is_no_game_of_two() -> None:
    with pytest.raises(ValueError, match="found 0 agents"):
        advantages(Games([], [], [], []))
