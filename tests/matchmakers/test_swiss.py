"""Agents of similar score meet, without rounds."""

from __future__ import annotations

import numpy as np
import pytest

from arena.core import Pairing, RatedPlayer, Result, Standings, awaited
from arena.matchmakers.balance import counts
from arena.matchmakers.swiss import Scores, swiss
from arena.testing.matchmakers import standings
from tests.matchmakers.asking import alone, made

AGENTS = range(8)


def tournament(games: int, lag: int) -> list[Pairing]:
    """Two players, and the agent with the higher number always wins."""
    matchmaker = made(swiss, AGENTS, 2, games, options={"lag": lag})
    scheduled: list[Pairing] = []
    while len(scheduled) < games:
        settled = awaited(len(scheduled), lag)
        results = [
            Result(p, tuple(RatedPlayer(a, i, int(a != max(p.agents))) for i, a in
                            enumerate(p.agents)))
            for p in scheduled[:settled]
        ]  # fmt: skip
        following = matchmaker.next(standings(AGENTS, scheduled, results, settled), 1)
        assert following, f"{len(scheduled)} games scheduled, {settled} settled"
        scheduled += following
    return scheduled


def test_neighbours_meet_once_scores_are_known() -> None:
    games = tournament(200, lag=4)

    apart = [abs(one - other) for one, other in (pairing.agents for pairing in games[100:])]
    # Eight agents drawn by lot are 3 apart.
    assert np.mean(apart) < 2.4


def test_everybody_plays_as_often() -> None:
    games = tournament(99, lag=7)

    for end in range(1, 100):
        assert counts(games[:end], alone(2), AGENTS).uneven_games <= 1


def test_points() -> None:
    scores = Scores([3, 5, 9])
    won = Result(Pairing(0, 0, 1, (3, 5)), (RatedPlayer(3, 0, 0), RatedPlayer(5, 1, 1)))
    drawn = Result(Pairing(1, 1, 1, (3, 9)), (RatedPlayer(3, 0, 0), RatedPlayer(9, 1, 0)))
    three = Result(
        Pairing(2, 2, 1, (3, 5, 9)),
        (RatedPlayer(3, 0, 2), RatedPlayer(5, 1, 0), RatedPlayer(9, 2, 1)),
    )

    scores.catch_up([won])
    assert scores.score.tolist() == [0.5, -0.5, 0.0]
    scores.catch_up([won, drawn, three])
    assert scores.score.tolist() == [0.0, 0.0, 0.0]
    # Results of another run are counted from the beginning.
    scores.catch_up([drawn, drawn, won])
    assert scores.score.tolist() == [0.5, -0.5, 0.0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_skills_play_no_part(value: float) -> None:
    known = Standings(
        agents=tuple(AGENTS),
        mean=np.full(8, value),
        covariance=np.full((8, 8), value),
        dollars=np.full(8, value),
    )

    assert len(made(swiss, AGENTS, 2, 20).next(known, 20)) == 20
