"""The counts of a schedule, by hand and by their sums."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import Pairing, Part
from arena.matchmakers.balance import counts
from arena.matchmakers.random import random_matchmaker
from arena.matchmakers.round_robin import round_robin
from tests.matchmakers.asking import alone, asked, made, mafia


def test_three_games_by_hand() -> None:
    parts = (Part("Wolf", "Wolves"), Part("Sheep", "Flock"), Part("Sheep", "Flock"))
    games = [(1, 2, 3), (2, 1, 3), (1, 1, 2)]
    pairings = [Pairing(index, index, 0, agents) for index, agents in enumerate(games)]

    balance = counts(pairings, lambda _: parts, [1, 2, 3])

    assert balance.roles == ("Sheep", "Wolf")
    assert balance.games.tolist() == [3, 3, 2]
    assert balance.by_role.tolist() == [[2, 2], [2, 1], [2, 0]]
    assert balance.together.tolist() == [[0, 3, 2], [3, 0, 2], [2, 2, 0]]
    assert balance.allied.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    assert balance.opposed.tolist() == [[0, 3, 1], [3, 0, 1], [1, 1, 0]]
    assert (balance.uneven_games, balance.uneven_roles) == (1, 2)
    assert (balance.uneven_meetings, balance.uneven_opposition) == (1, 2)


def test_without_roles_places_at_the_table_are_counted() -> None:
    balance = counts([Pairing(0, 0, 0, (7, 4))], alone(2))

    assert balance.agents == (4, 7)
    assert balance.roles == ("player 0", "player 1")
    assert balance.by_role.tolist() == [[0, 1], [1, 0]]
    assert balance.opposed.tolist() == [[0, 1], [1, 0]]


def test_agents_that_have_not_played_count() -> None:
    balance = counts([Pairing(0, 0, 0, (1, 2))], alone(2), [1, 2, 3])

    assert balance.uneven_games == 1


def test_no_games_are_balanced() -> None:
    balance = counts([], alone(2), [1, 2])

    assert (balance.uneven_games, balance.uneven_roles, balance.uneven_meetings) == (0, 0, 0)
    assert counts([], alone(2)).uneven_meetings == 0


def test_an_agent_that_is_not_entered_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"agent 9 plays: expected only \[1, 2\]"):
        counts([Pairing(0, 0, 0, (1, 9))], alone(2), [1, 2])


@settings(deadline=None, max_examples=20)
@given(st.integers(6, 9), st.integers(1, 20), st.integers(0, 2**31))
def test_the_sums_are_those_of_the_games(agents: int, games: int, seed: int) -> None:
    pairings = asked(made(random_matchmaker, agents, 6, games, seed, mafia), games)

    balance = counts(pairings, mafia, range(1, agents + 1))

    assert balance.games.sum() == balance.by_role.sum() == 6 * games
    # 2 against 4: 15 pairs at a table, 7 of them allied.
    assert balance.together.sum() == 2 * 15 * games
    assert balance.allied.sum() == 2 * 7 * games
    assert balance.opposed.sum() == 2 * 8 * games


@settings(deadline=None, max_examples=20)
@given(st.integers(3, 9), st.integers(1, 60), st.integers(0, 2**31))
def test_round_robin_is_within_one(agents: int, games: int, seed: int) -> None:
    pairings = asked(made(round_robin, agents, 2, games, seed), games)

    balance = counts(pairings, alone(2), range(1, agents + 1))

    assert balance.uneven_games <= 1
    assert balance.uneven_roles <= 1
    assert balance.uneven_meetings <= 1
