"""Narrow pools: what the proof measures of a tournament, and that early luck is not believed."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from arena.core.ratings import BETA
from arena.matchmakers.gauntlet import gauntlet
from arena.matchmakers.informative import informative
from proof.narrow import WORLDS, Found, Task, fewer, reached, run
from proof.pairing import Arm
from proof.worlds import World

TEAMS = replace(WORLDS[1], skill_sd=0.35 * BETA)


def pools(games: int, count: int) -> list[Found]:
    arm = Arm("informative", informative, games)
    return [run(Task(TEAMS, arm, (3, number), games)) for number in range(count)]


@pytest.mark.slow
def test_live_intervals_hold_the_truth_where_agents_are_nearly_alike() -> None:
    found = pools(200, 4)

    looks = [one.looks[200] for one in found]
    # Of 48 intervals; the first version held it in eight of ten.
    assert np.mean([look.live for look in looks]) > 0.85
    assert np.mean([look.official for look in looks]) > 0.85
    assert np.mean([look.apart for look in looks]) < 0.2
    assert all(len(one.order) == len(one.top) == 5 for one in found)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_run_is_the_same_each_time_in_every_game(world: World) -> None:
    task = Task(world, Arm("gauntlet", gauntlet, 40, (("newcomers", 3),)), (1, 2), 40)

    one, again = run(task), run(task)

    assert one.looks == again.looks
    assert one.order.tolist() == again.order.tolist()


def test_a_share_is_reached_between_two_looks() -> None:
    assert reached(np.array([0.2, 0.4, 0.8]), 0.6) == pytest.approx(2.5)
    assert reached(np.array([0.2, 0.4]), 0.1) == pytest.approx(0.5)
    assert reached(np.array([0.2, 0.4]), 0.5) == inf


def test_half_the_games_are_two_times_fewer() -> None:
    steps = np.arange(1.0, 21.0)
    slow, fast = np.tile(steps / 40, (4, 1)), np.tile(np.minimum(steps / 20, 1.0), (4, 1))

    assert fewer(slow, fast, 1) == (pytest.approx(2.0), pytest.approx(0.0))
    assert fewer(fast, slow, 1) == (pytest.approx(0.5), pytest.approx(0.0))
