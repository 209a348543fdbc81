"""Bradley-Terry over teams: against known odds, by hand and in what it says of itself."""

from __future__ import annotations

import sys
from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
from scipy.special import expit

from arena.core import Games, RatedPlayer, UsageError
from arena.core.ratings import BETA
from arena.ratings.bradley_terry import NEAREST, RIDGE, BradleyTerry
from arena.ratings.prediction import predict

ONE_LOG_ODDS = BETA * sqrt(2.0) / NEAREST


def duel(winner: int, loser: int, *, draw: bool = False) -> list[RatedPlayer]:
    return [RatedPlayer(winner, 0, 0), RatedPlayer(loser, 1, 0 if draw else 1)]


def test_two_agents_differ_by_the_log_of_their_odds() -> None:
    ratings = BradleyTerry().fit(Games.of([duel(1, 2)] * 750 + [duel(2, 1)] * 250))

    mean, covariance = ratings.skills([1, 2])

    assert (mean[0] - mean[1]) / ONE_LOG_ODDS == pytest.approx(log(3.0), abs=1e-3)
    variance = (covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]) / ONE_LOG_ODDS**2
    assert variance == pytest.approx(1 / 750 + 1 / 250, rel=1e-3)
    won, drawn, lost = predict(ratings, [[(1, None)], [(2, None)]])
    assert (won, drawn, lost) == pytest.approx((0.75, 0.0, 0.25), abs=1e-3)
    assert not ratings.notes


def test_a_draw_is_half_a_win_for_each() -> None:
    half = BradleyTerry().fit(Games.of([duel(1, 2, draw=True)] * 40 + [duel(1, 2)] * 20))

    full = BradleyTerry().fit(Games.of([duel(1, 2)] * 40 + [duel(2, 1)] * 20))
    assert half.mean == pytest.approx(full.mean, abs=1e-6)


def test_a_seat_that_is_worth_something_is_no_skill() -> None:
    games = Games.of([duel(1, 2)] * 30 + [duel(2, 1)] * 30)
    games = replace(games, roles=[0, 1] * 60, role_names=["First", "Second"])

    ratings = BradleyTerry().fit(games)

    mean, _ = ratings.skills([1, 2])
    assert mean == pytest.approx([0.0, 0.0], abs=1e-6)
    assert ratings.mean[ratings.terms["side", "First"]] > 2.0


def mafia(rng: np.random.Generator, skill: np.ndarray, village: float) -> list[RatedPlayer]:
    agents = rng.permutation(len(skill))[:6].tolist()
    odds = skill[agents[:2]].sum() - skill[agents[2:]].sum() - village
    lost = int(rng.random() > expit(odds))
    return [RatedPlayer(a, int(k > 1), int((k > 1) != lost)) for k, a in enumerate(agents)]


def test_team_sums_and_sides_are_found() -> None:
    rng = np.random.default_rng(1)
    skill = np.linspace(-0.5, 0.5, 9)
    games = Games.of([mafia(rng, skill, 0.4) for _ in range(4000)])
    roles = [1, 1, 0, 0, 0, 0] * 4000

    ratings = BradleyTerry().fit(replace(games, roles=roles, role_names=["Village", "Mafia"]))

    unit = BETA * sqrt(6.0) / NEAREST
    mean, covariance = ratings.contrasts(range(9))
    assert (np.abs(mean / unit - skill) < 3.5 * np.sqrt(np.diag(covariance)) / unit).all()
    assert np.sqrt(np.diag(covariance)).max() / unit < 0.1
    terms = ratings.terms
    sides = 2 * ratings.mean[terms["side", "Mafia"]] - 4 * ratings.mean[terms["side", "Village"]]
    assert sides / unit == pytest.approx(-0.4, abs=0.15)


def test_all_pairs_of_a_game_together_say_less_than_as_many_games() -> None:
    rng = np.random.default_rng(8)
    agents = range(6)
    games = []
    for _ in range(400):
        finish = np.argsort(np.argsort(-(0.5 * np.arange(6) + rng.gumbel(size=6))))
        games.append([RatedPlayer(a, a, int(finish[a])) for a in agents])
    pairs = [
        [RatedPlayer(a, 0, game[a].rank), RatedPlayer(b, 1, game[b].rank)]
        for game in games
        for a in agents
        for b in range(a + 1, 6)
    ]

    together = BradleyTerry().fit(Games.of(games))
    apart = BradleyTerry().fit(Games.of(pairs))

    assert together.mean[:6] == pytest.approx(apart.mean[:6], abs=1e-4)
    wide = np.diag(together.contrasts(agents)[1])
    narrow = np.diag(apart.contrasts(agents)[1])
    assert (wide > 1.2 * narrow).all()
    # A Plackett-Luce world's pairs are Bradley-Terry's: half a log-odds from agent to agent.
    assert np.diff(together.mean[:6]) / ONE_LOG_ODDS == pytest.approx(0.5, abs=0.25)


def test_agents_with_only_wins_or_only_losses_are_named() -> None:
    ratings = BradleyTerry().fit(Games.of([duel(1, 2), duel(2, 3), duel(1, 3)] * 5))

    first, last = ratings.noted({1: "Ann"})
    assert first.startswith("Ann finished first in every game: Bradley-Terry has no")
    assert last.startswith("agent 3 finished last in every game")
    _, covariance = ratings.contrasts([1, 2, 3])
    assert np.sqrt(covariance[0, 0]) > BETA


def test_a_hundred_winners_are_not_all_named() -> None:
    games = Games.of([duel(k, 1000) for k in range(100)])

    assert "agent 3, agent 4 and 95 more finished first" in BradleyTerry().fit(games).noted({})[0]


def test_what_was_never_compared_is_as_wide_as_the_ridge() -> None:
    ratings = BradleyTerry().fit(Games.of([[RatedPlayer(1, 0, 0), RatedPlayer(2, 0, 0)]]))

    assert ratings.mean.tolist() == [0.0] * len(ratings.mean)
    assert np.diag(ratings.covariance) == pytest.approx(RIDGE * ONE_LOG_ODDS**2)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)

    with pytest.raises(UsageError, match=r"pip install 'llm-arena\[bradley-terry\]'"):
        BradleyTerry().fit(Games.of([duel(1, 2)]))
