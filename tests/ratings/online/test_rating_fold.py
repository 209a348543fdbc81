"""The fold against the same games rated one by one through stored floats: the same bits."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena.ratings.online.fold as fold_module
from arena.core import Games, OnlineRatingSystem, RatedPlayer, Rating
from arena.ratings.online.fold import Pool, Standing, fold, pool_after
from arena.ratings.online.live import draw_probability
from arena.ratings.trueskill import TrueSkill, draw_margin
from arena.ratings.trueskill_package import TrueSkillPackage

Game = tuple[RatedPlayer, ...]
Row = tuple[int, int, float, float, float, float]


def one_by_one(
    games: Sequence[Game], system: OnlineRatingSystem, start: Pool | None = None
) -> tuple[dict[int, Rating], list[Row], int]:
    """Ratings, changes and draws, as a recorder keeps them: a game at a time, through stored
    pairs."""
    stored = {} if start is None else dict(start.ratings)
    played, draws = (0, 0) if start is None else (start.games, start.draws)
    rows = []
    for number, game in enumerate(games):
        before = {p.agent_id: stored.get(p.agent_id, system.initial()) for p in game}
        after = system.rate(game, before, draw_probability(played, draws))
        for agent in dict.fromkeys(player.agent_id for player in game):
            old, new = before[agent], after[agent]
            rows.append((number, agent, old.mu, old.sigma, new.mu, new.sigma))
        stored.update(after)
        best = min(player.rank for player in game)
        played += 1
        draws += len({player.team for player in game if player.rank == best}) > 1
    return stored, rows, draws


@st.composite
def two_team_games(draw: Any) -> list[Game]:
    """Games of two teams in stretches of the same sizes, long enough for the generated loop."""
    games = []
    for _ in range(draw(st.integers(1, 3))):
        first, second = draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
        for _ in range(draw(st.integers(1, 20))):
            agents = draw(st.permutations(range(1, 9)))[: first + second]
            teams = draw(st.permutations([0] * first + [1] * second))
            ranks = draw(st.sampled_from([(0, 1), (1, 0), (0, 0)]))
            games.append(tuple(map(RatedPlayer, agents, teams, [ranks[team] for team in teams])))
    return games


@st.composite
def any_game(draw: Any) -> Game:
    """Any number of teams, and agents in any number of seats."""
    size = draw(st.integers(1, 5))
    ranks = draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    teams = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=6))
    return tuple(RatedPlayer(draw(st.integers(1, 4)), team, ranks[team]) for team in teams)


@settings(deadline=None, max_examples=40)
@given(two_team_games())
def test_the_generated_loop_gives_the_bits_of_update(games: list[Game]) -> None:
    ratings, rows, draws = one_by_one(games, TrueSkill())

    pool, changes = fold(Games.of(games), TrueSkill())

    assert pool.ratings == ratings
    assert list(changes.rows()) == rows
    assert (pool.games, pool.draws) == (len(games), draws)
    assert pool_after(Games.of(games), TrueSkill()) == pool


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(any_game(), two_team_games().map(lambda games: games[0])), max_size=12))
def test_games_of_any_shape_give_the_bits_of_update(games: list[Game]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fold_module, "SHORTEST_RUN", 1)
        patch.setattr(fold_module, "CHUNK", 5)
        pool, changes = fold(Games.of(games), TrueSkill())
        assert pool_after(Games.of(games), TrueSkill()) == pool

    ratings, rows, draws = one_by_one(games, TrueSkill())
    assert pool.ratings == ratings
    assert list(changes.rows()) == rows
    assert (pool.games, pool.draws) == (len(games), draws)


@settings(deadline=None, max_examples=20)
@given(two_team_games(), st.integers(0, 60))
def test_a_fold_can_stop_anywhere_and_go_on(games: list[Game], stop: int) -> None:
    whole, _ = fold(Games.of(games), TrueSkill())

    half, _ = fold(Games.of(games[:stop]), TrueSkill())
    rest, _ = fold(Games.of(games[stop:]), TrueSkill(), half)

    assert rest == whole


def upsets(count: int) -> list[Game]:
    """One agent beats the next, over and over, until one result is a shock."""
    games = [(RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1))] * count
    return [*games, (RatedPlayer(1, 0, 1), RatedPlayer(2, 1, 0))]


def test_the_tail_of_a_surprise_is_the_same_in_the_loop() -> None:
    far = Pool({1: Standing(Rating(90.0, 1.0)), 2: Standing(Rating(10.0, 1.0))})
    ratings, rows, _ = one_by_one(upsets(20), TrueSkill(), far)

    pool, changes = fold(Games.of(upsets(20)), TrueSkill(), far)

    assert pool.ratings == ratings
    assert list(changes.rows()) == rows
    assert pool_after(Games.of(upsets(20)), TrueSkill(), far) == pool


def alike(count: int, rng: random.Random) -> list[Game]:
    """Two against four between twelve agents, one in twenty drawn."""
    games = []
    for _ in range(count):
        first = rng.sample(range(6), 2)
        ranks = rng.choices([(0, 1), (1, 0), (0, 0)], [12, 7, 1])[0]
        games.append(
            tuple(
                RatedPlayer(agent, int(seat in first), ranks[seat in first])
                for seat, agent in enumerate(rng.sample(range(12), 6))
            )
        )
    return games


def test_long_runs_of_games_that_are_alike_give_the_bits_of_update() -> None:
    games = alike(10_000, random.Random(7))
    ratings, _, draws = one_by_one(games, TrueSkill())

    pool = pool_after(Games.of(games), TrueSkill())

    assert pool.ratings == ratings
    assert pool.draws == draws > 300
    assert pool == fold(Games.of(games), TrueSkill())[0]


@settings(deadline=None, max_examples=20)
@given(two_team_games(), st.integers(0, 60))
def test_a_pool_goes_on_from_where_it_was(games: list[Game], stop: int) -> None:
    half = pool_after(Games.of(games[:stop]), TrueSkill())

    assert pool_after(Games.of(games[stop:]), TrueSkill(), half) == pool_after(
        Games.of(games), TrueSkill()
    )


def test_a_fit_is_the_fold_around_zero() -> None:
    games = Games.of(alike(50, random.Random(8)))
    pool, _ = fold(games, TrueSkill())

    fit = TrueSkill().fit(games)

    assert (fit.system, fit.notes, fit.games) == (
        "trueskill",
        [],
        {agent: standing.games for agent, standing in sorted(pool.standings.items())},
    )
    mean, covariance = fit.skills([3, 11])
    assert mean.tolist() == [pool.ratings[agent].mu - 25.0 for agent in (3, 11)]
    sigmas = [pool.ratings[agent].sigma for agent in (3, 11)]
    assert covariance == pytest.approx(np.diag(sigmas) ** 2)
    probability = draw_probability(pool.games, pool.draws)
    assert fit.margin == draw_margin(probability, 2)


def test_a_fit_of_nothing_has_no_terms_and_of_two_environments_says_so() -> None:
    nothing = TrueSkill().fit(Games.of([]))
    assert (nothing.terms, len(nothing.mean), nothing.covariance.shape) == ({}, 0, (0, 0))

    columns = ([2, 2], [7, 9, 9, 7], [0, 1, 0, 1], [0, 1, 0, 1])
    both = Games(*columns, environments=[0, 1], environment_names=["Nim-v0", "Chess-v0"])
    (note,) = TrueSkillPackage().fit(both).notes
    assert "several environments" in note


def test_wins_draws_and_losses_are_counted_once_a_game() -> None:
    win = (RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1), RatedPlayer(2, 2, 2))
    tie = (RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 0), RatedPlayer(3, 2, 1))
    both = (RatedPlayer(1, 0, 0), RatedPlayer(1, 1, 1), RatedPlayer(3, 1, 1))

    pool, changes = fold(Games.of([win, tie, both]), TrueSkill())

    counted = {a: (s.games, s.wins, s.draws, s.losses) for a, s in pool.standings.items()}
    assert counted == {1: (3, 1, 2, 0), 2: (2, 0, 1, 1), 3: (2, 0, 0, 2)}
    assert (pool.games, pool.draws) == (3, 1)
    assert changes.agent.tolist() == [1, 2, 1, 2, 3, 1, 3]


def test_the_draw_probability_starts_low_and_follows_the_pool() -> None:
    assert draw_probability(0, 0) == 0.05
    assert draw_probability(90, 49) == pytest.approx(0.495)

    drawn = (RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 0))
    pool, _ = fold(Games.of([drawn] * 40), TrueSkill())

    assert draw_probability(pool.games, pool.draws) == 40.5 / 50


def test_columns_may_be_lists_arrays_or_numpy() -> None:
    columns = ([2, 2], [7, 9, 9, 7], [0, 1, 0, 1], [0, 1, 0, 1])
    expected, _ = fold(Games(*columns), TrueSkill())

    sizes, agents, teams, ranks = (array("q", column) for column in columns)
    packed, _ = fold(Games(sizes, agents, teams, ranks), TrueSkill())
    one, two, three, four = (np.array(column) for column in columns)
    numeric, _ = fold(Games(one, two, three, four), TrueSkill())

    assert packed == numeric == expected
    assert list(Games(*columns)) == [
        (RatedPlayer(7, 0, 0), RatedPlayer(9, 1, 1)),
        (RatedPlayer(9, 0, 0), RatedPlayer(7, 1, 1)),
    ]


def test_no_games_change_nothing() -> None:
    start = Pool({4: Standing(Rating(30.0, 2.0), games=3, wins=3)}, games=3)

    pool, changes = fold(Games.of([]), TrueSkill(), start)

    assert pool == start
    assert len(changes) == 0


def test_large_and_negative_ids_are_names_like_any_other() -> None:
    game = (RatedPlayer(2**62, 0, 0), RatedPlayer(-5, 1, 1))
    small = (RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1))

    pool, _ = fold(Games.of([game] * 20), TrueSkill())
    expected, _ = fold(Games.of([small] * 20), TrueSkill())

    assert pool.standings == {
        2**62: expected.standings[1],
        -5: expected.standings[2],
    }


def test_another_rating_system_folds_through_its_own_rate() -> None:
    games = [(RatedPlayer(1, 0, 0), RatedPlayer(2, 1, 1))] * 3

    pool, changes = fold(Games.of(games), TrueSkillPackage())

    ratings, rows, _ = one_by_one(games, TrueSkillPackage())
    assert pool.ratings == ratings
    assert list(changes.rows()) == rows


@pytest.mark.parametrize(
    ("games", "message"),
    [
        (Games([2], [1, 2, 3], [0, 1, 1], [0, 1, 1]), "2 seats in all games, but 3 agents"),
        (Games([2, 0], [1, 2], [0, 1], [0, 1]), "game 1 has no seats"),
        (Games([3], [1, 2, 3], [0, 1, 1], [0, 1, 2]), "game 0: the seats of one team have diff"),
    ],
)
def test_columns_that_make_no_games_are_refused(games: Games, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fold(games, TrueSkill())


def test_a_start_with_an_impossible_rating_is_refused() -> None:
    start = Pool({1: Standing(Rating(float("nan"), 1.0))})

    with pytest.raises(ValueError, match="agent 1 is rated nan"):
        fold(Games.of([]), TrueSkill(), start)
