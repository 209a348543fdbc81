"""Lots are drawn fairly: agents and places."""

from __future__ import annotations

import random
from collections import Counter

from arena.matchmakers.random import random_matchmaker
from tests.matchmakers.asking import asked, made


def test_every_agent_is_drawn_as_often_and_at_every_place() -> None:
    matchmaker = made(random_matchmaker, 8, 6, 8000)

    seated = Counter(
        (agent, place)
        for pairing in asked(matchmaker, 8000)
        for place, agent in enumerate(pairing.agents)
    )

    # 1,000 expected of each, with a standard deviation of 30.
    assert len(seated) == 48
    assert all(870 < times < 1130 for times in seated.values())


def test_the_agents_of_a_game_are_distinct() -> None:
    matchmaker = made(random_matchmaker, [4, 9, 2], 2, 50)

    for pairing in asked(matchmaker, 50):
        assert len(set(pairing.agents)) == 2
        assert set(pairing.agents) <= {4, 9, 2}


def test_one_agent_may_play_itself_if_told_to() -> None:
    matchmaker = made(random_matchmaker, [3], 2, 1, options={"repeat": True})

    assert asked(matchmaker, 1)[0].agents == (3, 3)


def test_the_global_generator_is_left_alone() -> None:
    random.seed(1)
    before = random.getstate()
    matchmaker = made(random_matchmaker, 9, 3, 9)

    asked(matchmaker, 9)

    assert random.getstate() == before
