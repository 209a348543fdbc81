"""Nobody sits twice at a place before having sat at all of them."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from arena.matchmakers.seating import seat


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 8), st.integers(1, 8), st.randoms(use_true_random=False))
def test_as_many_games_as_agents_fill_every_place_with_everybody(
    agents: int, places: int, rng: Random
) -> None:
    tickets = [agent for agent in range(agents) for _ in range(places)]
    rng.shuffle(tickets)
    games = [tickets[low : low + places] for low in range(0, len(tickets), places)]

    seated = seat(games, places, Random(1))

    assert [sorted(game) for game in seated] == [sorted(game) for game in games]
    for place in range(places):
        assert sorted(game[place] for game in seated) == list(range(agents))


def test_three_agents_in_three_games_of_two() -> None:
    seated = seat([[1, 2], [1, 3], [2, 3]], 2, Random(0))

    assert Counter(first for first, _ in seated) == Counter([1, 2, 3])
