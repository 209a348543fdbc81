"""Everybody meets everybody, evenly, at every place, wherever the schedule stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.matchmakers.round_robin import round_robin
from tests.matchmakers.asking import asked, made


def lineups(
    agents: int, num_players: int, games: int, seed: int = 1, **options: Any
) -> list[tuple[int, ...]]:
    matchmaker = made(round_robin, range(agents), num_players, games, seed, options=options)
    return [pairing.agents for pairing in asked(matchmaker, games)]


def spread(counts: Iterable[int]) -> int:
    numbers = list(counts)
    return max(numbers) - min(numbers)


def meetings(agents: int, games: Iterable[tuple[int, ...]]) -> list[int]:
    met = Counter(pair for game in games for pair in combinations(sorted(set(game)), 2))
    return [met[pair] for pair in combinations(range(agents), 2)]


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 10), st.integers(2, 7), st.integers(1, 60), st.integers())
def test_wherever_it_stops_games_and_places_differ_by_at_most_one(
    agents: int, num_players: int, games: int, seed: int
) -> None:
    played = Counter(dict.fromkeys(range(agents), 0))
    places = {agent: Counter(dict.fromkeys(range(num_players), 0)) for agent in range(agents)}

    for game in lineups(agents, num_players, games, seed, repeat=True):
        for place, agent in enumerate(game):
            played[agent] += 1
            places[agent][place] += 1
        assert spread(played.values()) <= 1
        assert all(spread(counts.values()) <= 1 for counts in places.values())


@pytest.mark.parametrize("agents", [3, 4, 5, 6, 7, 8, 11, 12])
def test_two_players_meet_once_then_once_more_with_the_seats_swapped(agents: int) -> None:
    once = agents * (agents - 1) // 2
    there_and_back = lineups(agents, 2, 2 * once)

    assert meetings(agents, there_and_back[:once]) == [1] * once
    assert Counter(there_and_back[once:]) == Counter((b, a) for a, b in there_and_back[:once])


def test_four_agents_play_in_rounds() -> None:
    games = lineups(4, 2, 6)

    for first, second in zip(games[::2], games[1::2], strict=True):
        assert sorted(first + second) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("agents", "num_players", "games", "at_most"),
    [(7, 6, 100, 2), (8, 6, 280, 4), (9, 3, 240, 3), (12, 6, 440, 6), (20, 4, 500, 5)],
)
def test_more_players_meet_almost_evenly(
    agents: int, num_players: int, games: int, at_most: int
) -> None:
    assert spread(meetings(agents, lineups(agents, num_players, games))) <= at_most


def test_in_blocks_agents_are_even_after_each_block() -> None:
    games = lineups(8, 6, 240, blocks=True)

    for end in range(6, 241, 6):
        counted = Counter(agent for game in games[:end] for agent in game)
        assert spread(counted[agent] for agent in range(8)) <= 6


def test_seven_agents_for_six_places_sit_out_in_turn() -> None:
    games = lineups(7, 6, 7)

    assert sorted(next(iter(set(range(7)) - set(game))) for game in games) == list(range(7))
