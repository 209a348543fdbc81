"""Lots are drawn fairly: agents and places."""

from __future__ import annotations

import random
from collections import Counter

from arena.matchmakers.random import RandomMatchmaker


def test_every_agent_is_drawn_as_often_and_at_every_place() -> None:
    matchmaker = RandomMatchmaker(agents=range(8), num_players=6, games=8000, seed=5, options={})

    seated = Counter(
        (agent, place)
        for pairing in matchmaker.next({}, 8000)
        for place, agent in enumerate(pairing.agents)
    )

    # 1,000 expected of each, with a standard deviation of 30.
    assert len(seated) == 48
    assert all(870 < times < 1130 for times in seated.values())


def test_the_agents_of_a_game_are_distinct() -> None:
    matchmaker = RandomMatchmaker(agents=[4, 9, 2], num_players=2, games=50, seed=5, options={})

    for pairing in matchmaker.next({}, 50):
        assert len(set(pairing.agents)) == 2
        assert set(pairing.agents) <= {4, 9, 2}


def test_one_agent_may_play_itself_if_told_to() -> None:
    matchmaker = RandomMatchmaker(
        agents=[3], num_players=2, games=1, seed=5, options={"repeat": True}
    )

    assert matchmaker.next({}, 1)[0].agents == (3, 3)


def test_the_global_generator_is_left_alone() -> None:
    random.seed(1)
    before = random.getstate()
    matchmaker = RandomMatchmaker(agents=range(9), num_players=3, games=9, seed=5, options={})

    matchmaker.next({}, 9)

    assert random.getstate() == before
