"""Plackett-Luce: what the package says, and what we say where it has no answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openskill.models import PlackettLuce
from scipy.special import expit

from arena.core import Games, RatedPlayer, Rating
from arena.core.ratings import BETA
from arena.ratings.openskill import OpenSkill
from arena.ratings.prediction import predict

RATED = {1: (30.0, 4.0), 2: (22.0, 6.0), 3: (25.0, 8.0), 4: (28.0, 3.0)}


def by_package(
    teams: Sequence[Sequence[int]], ranks: Sequence[int], ratings: Mapping[int, tuple[float, float]]
) -> dict[int, tuple[float, float]]:
    """What the package makes of a game, given centred skills and frozen agents."""
    model = PlackettLuce(mu=0.0, tau=0.0)
    groups = [[model.rating(ratings[a][0] - 25.0, ratings[a][1]) for a in team] for team in teams]
    rated = model.rate(groups, ranks=[float(rank) for rank in ranks])
    return {
        agent: (new.mu + 25.0, new.sigma)
        for team, group in zip(teams, rated, strict=True)
        for agent, new in zip(team, group, strict=True)
    }


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=5),
    st.lists(st.integers(0, 4), min_size=5, max_size=5),
    st.lists(st.tuples(st.floats(5.0, 45.0), st.floats(0.5, 9.0)), min_size=15, max_size=15),
)
def test_strangers_move_as_the_package_moves_them(
    sizes: list[int], ranks: list[int], rated: list[tuple[float, float]]
) -> None:
    numbers = iter(range(15))
    teams = [[next(numbers) for _ in range(size)] for size in sizes]
    players = [RatedPlayer(a, t, ranks[t]) for t, team in enumerate(teams) for a in team]
    ratings = dict(enumerate(rated))

    ours = OpenSkill().rate(players, ratings)

    for agent, theirs in by_package(teams, ranks[: len(teams)], ratings).items():
        assert ours[agent] == pytest.approx(theirs, abs=1e-9)


def test_two_seats_of_one_agent_are_one_player_of_twice_its_skill() -> None:
    players = [RatedPlayer(1, 0, 0), RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1)]

    after = OpenSkill().rate(players, RATED)

    # 35 ± 8 is what two seats of 30 ± 4 add up to; a step of it is two steps of the agent.
    twice = by_package([[9], [2]], [0, 1], {9: (35.0, 8.0), 2: RATED[2]})
    assert after[1].mu == pytest.approx(30.0 + (twice[9][0] - 35.0) / 2.0)
    assert after[1].sigma == pytest.approx(twice[9][1] / 2.0)
    assert after[2] == pytest.approx(twice[2])


def test_an_agent_against_itself_learns_nothing() -> None:
    players = [RatedPlayer(1, 0, 0), RatedPlayer(1, 1, 1)]

    assert OpenSkill().rate(players, RATED) == {1: Rating(30.0, 4.0)}


def test_an_agent_in_two_of_three_teams_moves_by_both_results() -> None:
    players = [RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1), RatedPlayer(1, 2, 2)]

    after = OpenSkill().rate(players, RATED)

    theirs = by_package([[8], [2], [9]], [0, 1, 2], {8: RATED[1], 2: RATED[2], 9: RATED[1]})
    assert after[1] == pytest.approx((theirs[8][0] + theirs[9][0] - 30.0, 4.0))
    assert after[2] == pytest.approx(theirs[2])


def test_a_game_of_one_team_says_nothing() -> None:
    players = [RatedPlayer(1, 0, 0), RatedPlayer(2, 0, 0)]

    assert OpenSkill().rate(players, RATED) == {1: Rating(30.0, 4.0), 2: Rating(22.0, 6.0)}


def test_no_gap_is_beyond_its_arithmetic() -> None:
    players = [RatedPlayer(1, 0, 1), RatedPlayer(2, 1, 0), RatedPlayer(3, 2, 2)]

    after = OpenSkill().rate(players, {1: (1e8, 1e-3), 2: (-1e8, 8.0), 3: (25.0, 8.0)})

    assert np.isfinite([number for rating in after.values() for number in rating]).all()
    assert after[2].mu > -1e8


@pytest.mark.parametrize(
    ("players", "ratings", "found"),
    [
        ([(1, 0, 0), (2, 0, 1)], RATED, "team 0 has ranks 0 and 1: expected one rank"),
        ([(1, 0, 0), (2, 1, 1)], {1: (float("nan"), 1.0), 2: (25.0, 8.0)}, "agent 1 is rated nan"),
    ],
)
def test_what_cannot_be_is_refused(
    players: list[tuple[int, int, int]], ratings: dict[int, tuple[float, float]], found: str
) -> None:
    with pytest.raises(ValueError, match=found):
        OpenSkill().rate(players, ratings)


def test_a_fit_is_its_updates_one_after_another() -> None:
    rng = np.random.default_rng(6)
    games = [
        [
            RatedPlayer(int(a), k, int(rank))
            for k, (a, rank) in enumerate(zip(agents, ranks, strict=True))
        ]
        for agents, ranks in ((rng.permutation(5)[:3], rng.integers(3, size=3)) for _ in range(50))
    ]
    ratings: dict[int, tuple[float, float]] = dict.fromkeys(range(5), OpenSkill().initial())
    for game in games:
        ratings.update(OpenSkill().rate(game, ratings))

    fitted = OpenSkill().fit(Games.of(games))

    mean, covariance = fitted.skills(range(5))
    assert mean + 25.0 == pytest.approx([ratings[a][0] for a in range(5)], abs=1e-12)
    assert covariance == pytest.approx(np.diag([ratings[a][1] ** 2 for a in range(5)]))
    # The package's odds of two players: e^(gap/c), c² = 2·BETA² where nothing is uncertain.
    known = replace(fitted, covariance=0.0 * covariance)
    won, _, _ = predict(known, [[(0, None)], [(1, None)]])
    assert won == pytest.approx(expit((mean[0] - mean[1]) / (BETA * sqrt(2.0))), abs=1e-9)
    assert "no sides and no roles" in fitted.notes[-1]
