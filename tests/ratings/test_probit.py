"""The official number: order-free, calibrated, and defined for every set of games."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from arena.core import Games, RatedPlayer, Ratings
from arena.core.ratings import BETA
from arena.ratings.fit.pools import components
from arena.ratings.prediction import predict
from arena.ratings.probit import Probit
from proof.worlds import DUEL, FREE_FOR_ALL, MAFIA_35, World, role_specific


def fit(games: Games) -> Ratings:
    ratings = Probit().fit(games)
    assert np.isfinite(ratings.mean).all()
    assert (ratings.covariance == ratings.covariance.T).all()
    assert (np.diag(ratings.covariance) > 0.0).all()
    assert np.linalg.eigvalsh(ratings.covariance).min() > -1e-9
    assert 0.0 <= ratings.margin < 50.0
    return ratings


def duels(*results: tuple[int, int], drawn: bool = False) -> Games:
    """Winner and loser, game by game."""
    return Games.of(
        [RatedPlayer(a, 0, 0), RatedPlayer(b, 1, 0 if drawn else 1)] for a, b in results
    )


def pick(games: Games, order: NDArray[np.int64]) -> Games:
    """The games in another order."""
    ends = np.cumsum(np.asarray(games.sizes))
    seats = np.concatenate(
        [np.arange(end - size, end) for end, size in zip(ends, games.sizes, strict=True)]
    ).reshape(len(games), -1)[order]
    return replace(
        games,
        **{
            name: np.asarray(getattr(games, name))[seats.ravel()]
            for name in ("agents", "teams", "ranks", "roles")
        },
    )


@pytest.mark.parametrize(
    "world",
    [MAFIA_35, replace(MAFIA_35, agents=60), replace(DUEL, margin=2.0), FREE_FOR_ALL],
)
def test_the_same_games_in_another_order_give_the_same_bits(world: World) -> None:
    rng = np.random.default_rng(4)
    games = world.truth(rng).play(40, rng)

    ratings, again = fit(games), fit(pick(games, rng.permutation(40)))

    assert ratings.mean.tobytes() == again.mean.tobytes()
    assert ratings.covariance.tobytes() == again.covariance.tobytes()
    assert ratings.margin == again.margin
    assert list(ratings.terms) == list(again.terms)


@pytest.mark.parametrize("world", [MAFIA_35, role_specific(MAFIA_35), DUEL, FREE_FOR_ALL])
def test_the_truth_is_in_its_intervals(world: World) -> None:
    inside = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth = world.truth(rng)
        mean, covariance = fit(truth.play(150, rng)).contrasts(range(12))
        inside.append(np.abs(mean - truth.overall) < 1.96 * np.sqrt(np.diag(covariance)))
        assert np.corrcoef(mean, truth.overall)[0, 1] > 0.6

    assert 0.83 <= np.mean(inside) <= 1.0


def test_an_agent_can_be_good_in_one_role_only() -> None:
    rng = np.random.default_rng(7)
    world = replace(role_specific(MAFIA_35, BETA), skill_sd=0.0)
    truth = world.truth(rng)

    ratings = fit(truth.play(800, rng))

    for at, role in enumerate(world.roles):
        assert np.corrcoef(ratings.contrasts(range(12), role)[0], truth.by_role[:, at])[0, 1] > 0.75


def test_draws_are_as_likely_as_they_are() -> None:
    rng = np.random.default_rng(5)
    world = replace(DUEL, margin=3.0, first_wins=None)
    truth = world.truth(rng)

    ratings = fit(truth.play(1_500, rng))

    assert ratings.margin == pytest.approx(3.0, abs=0.4)
    draws = [predict(ratings, [[(a, None)], [(b, None)]])[1] for a, b in pairwise(range(12))]
    true = truth.probabilities(np.array(list(pairwise(range(12)))))[1]
    assert draws == pytest.approx(true.tolist(), abs=0.06)


def test_no_games() -> None:
    ratings = Probit().fit(Games([], [], [], []))

    assert ratings.terms == {}
    assert ratings.contrasts([1, 2])[0].tolist() == [0.0, 0.0]
    assert components(Games([], [], [], [])) == []


def test_one_game_moves_the_winner_up_and_leaves_wide_intervals() -> None:
    mean, covariance = fit(duels((1, 2))).contrasts([1, 2])

    assert mean[0] == -mean[1] > 0.0
    assert np.sqrt(covariance[0, 0]) > 0.3 * BETA


def test_only_wins_stay_finite() -> None:
    ratings = fit(duels(*[(1, 2)] * 1_000))

    (first, second), _ = ratings.contrasts([1, 2])
    assert BETA < first - second < 20 * BETA


def test_only_draws_say_that_they_are_alike() -> None:
    ratings = fit(duels(*[(1, 2)] * 200, drawn=True))

    mean, covariance = ratings.contrasts([1, 2])
    assert mean == pytest.approx([0.0, 0.0], abs=1e-9)
    assert predict(ratings, [[(1, None)], [(2, None)]])[1] > 0.9
    assert covariance[0, 0] < fit(duels((1, 2), drawn=True)).contrasts([1, 2])[1][0, 0]


def test_a_game_against_itself_says_nothing() -> None:
    one, two = duels((1, 2), (2, 3)), duels((1, 2), (2, 3), (4, 4), (1, 1))

    alone, beside = fit(one).contrasts([1, 2, 3]), fit(two).contrasts([1, 2, 3])

    assert beside[0] == pytest.approx(alone[0], abs=1e-9)
    assert fit(two).games == {1: 2, 2: 2, 3: 1, 4: 1}


def test_a_game_of_one_team_says_nothing_and_is_said() -> None:
    together = Games.of([[RatedPlayer(1, 0, 0), RatedPlayer(2, 0, 0)]])

    ratings = fit(together)

    assert ratings.contrasts([1, 2])[0].tolist() == [0.0, 0.0]
    assert any("one team only" in note for note in ratings.notes)


def test_pools_that_never_met_are_said() -> None:
    games = duels((1, 2), (2, 3), (10, 11))

    assert components(games) == [frozenset({1, 2, 3}), frozenset({10, 11})]
    assert any("2 pools of agents that never met (3 and 2 agents)" in n for n in fit(games).notes)
    assert not any("never met" in note for note in fit(duels((1, 2))).notes)


def test_a_clone_team_is_one_agent_twice() -> None:
    rng = np.random.default_rng(6)
    truth = MAFIA_35.truth(rng)
    pairs = np.argsort(rng.random((400, 12)), axis=1)[:, :2]
    clones = truth.play(pairs[:, [0, 0, 0, 0, 1, 1]], rng)
    mixed = truth.play(400, rng)

    sd = [np.sqrt(np.diag(fit(games).contrasts(range(12))[1])).mean() for games in (clones, mixed)]

    assert sd[0] < 0.75 * sd[1]


def test_ties_of_many_teams() -> None:
    winner_takes_all = Games.of(
        [[RatedPlayer(a, a, 0 if a == won else 1) for a in range(5)] for won in (0, 0, 0, 1)]
    )
    all_tied = Games.of([[RatedPlayer(a, a, 0) for a in range(5)]])
    two_survive = Games.of([[RatedPlayer(a, a, 0 if a < 2 else 1) for a in range(5)]] * 5)

    wins = fit(winner_takes_all).contrasts(range(5))[0]
    assert wins[0] > wins[1] > wins[2]
    assert wins[2] == pytest.approx(wins[3])
    assert fit(all_tied).contrasts(range(5))[0] == pytest.approx([0.0] * 5)
    survivors = fit(two_survive).contrasts(range(5))[0]
    assert survivors[0] == pytest.approx(survivors[1])
    assert survivors[0] > 0.0 > survivors[2]


def test_an_agent_is_rated_in_each_environment() -> None:
    """Agent 1 wins at one game and loses at the other."""
    results = [(1, 2)] * 60 + [(2, 1)] * 60
    games = replace(
        duels(*results),
        environments=[0] * 60 + [1] * 60,
        environment_names=["Nim-v0", "Chess-v0"],
    )

    ratings = fit(games)

    nim, chess = (ratings.contrasts([1, 2], name)[0][0] for name in ("Nim-v0", "Chess-v0"))
    assert nim > BETA / 4 > -BETA / 4 > chess
    assert ratings.contrasts([1, 2])[0][0] == pytest.approx(0.0, abs=0.01)


def test_what_was_never_seen_of_an_agent_is_part_of_its_interval() -> None:
    """Two environments, in each two seats; agent 3 knows one of them, and one seat of it."""
    results = [(1, 2), (2, 1)] * 20 + [(1, 3), (2, 3)] * 20 + [(1, 2), (2, 1)] * 40
    games = replace(
        duels(*results),
        environments=[0] * 80 + [1] * 80,
        environment_names=["Nim-v0", "Chess-v0"],
        roles=[0, 1] * 160,
        role_names=["first", "second"],
    )

    ratings = fit(games)

    seen, role, environment = (
        ratings.unseen([3])[0, 0] + ratings.covariance[at, at]
        for at in (
            ratings.terms["agent:role", "3", name]
            for name in ("Nim-v0/second", "Nim-v0/first", "Chess-v0/first")
        )
    )
    assert seen < role < environment
    # What an environment asks for is the same in both seats of it.
    first, second = (
        ratings.terms["agent:role", "3", f"Chess-v0/{name}"] for name in ("first", "second")
    )
    assert 0 < ratings.covariance[first, second] < environment
    spread = ratings.skills([1, 3])[1]
    assert spread[1, 1] > spread[0, 0]


def test_who_is_in_no_game_has_the_prior() -> None:
    ratings = fit(duels(*[(1, 2), (2, 1)] * 20))

    _, covariance = ratings.skills([1, 8, 8, 9])
    assert covariance[1, 1] == covariance[1, 2] == pytest.approx(ratings.prior["agent"])
    assert covariance[1, 3] == covariance[0, 1] == 0
    contrast = np.diag(ratings.contrasts([1, 2, 9])[1])
    assert contrast[2] > contrast[0]
    against = [[[(1, None)], [(other, None)]] for other in (2, 9)]
    sure = replace(ratings, mean=np.array([2.0, 0.0]))
    assert predict(sure, against[0])[0] > predict(sure, against[1])[0] > 0.5


@pytest.mark.parametrize("rank", [float("nan"), 0.5, float("inf")])
def test_impossible_input_is_refused(rank: float) -> None:
    with pytest.raises(ValueError, match="expected a whole number"):
        Probit().fit(Games([2], [1, 2], [0, 1], [0, rank]))
