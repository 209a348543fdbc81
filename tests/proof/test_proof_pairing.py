"""The simulation of matchmakers: small, but the real one."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from arena.core import Pairing, Part, Standings
from arena.matchmakers.informative import informative
from arena.matchmakers.random import random_matchmaker
from proof.pairing import MAFIA, STEP, TWO, Arm, Quality, Task, measure, ratio, run, until
from proof.worlds import World


@pytest.mark.slow
def test_every_matchmaker_is_measured_in_both_games() -> None:
    found = measure(scale=0.02, processes=1)

    assert len(found.figures) == 8
    assert all(np.isfinite(figure.value) for figure in found.figures)
    rows = found.tables[0].rows
    assert [row[:2] for row in rows[:4]] == [
        ["two players", name] for name in ("random", "round-robin", "quality", "informative")
    ]
    assert len(rows) == 11


def test_a_pool_is_the_same_for_every_matchmaker_and_a_run_the_same_each_time() -> None:
    arm = Arm("informative", informative, 60)

    shares, spent = run(Task(TWO, arm, (1, 2), priced=True))
    again, _ = run(Task(TWO, arm, (1, 2), priced=True))

    assert shares.tolist() == again.tolist()
    assert len(shares) == len(spent) == 60 // STEP
    assert (np.diff(spent) > 0.0).all()


@pytest.mark.parametrize("world", [TWO, MAFIA])
def test_games_put_neighbours_in_order(world: World) -> None:
    arm = Arm("random", random_matchmaker, 800)

    shares = [run(Task(world, arm, (5, pool)))[0] for pool in range(4)]

    # Half of them are in order by luck alone.
    assert np.mean(shares, axis=0)[-1] > 0.72


def test_until_finds_where_the_mean_share_is_reached() -> None:
    shares = np.tile(np.linspace(0.5, 1.0, 51), (3, 1))
    games = np.tile(20.0 * np.arange(1, 52), (3, 1))

    assert until(shares, games, 0.9) == 41 * 20
    assert until(shares, games, 1.1) == inf


def test_what_needs_twice_as_many_games_has_a_ratio_of_two() -> None:
    games = np.tile(20.0 * np.arange(1, 101), (4, 1))
    fast = np.minimum(0.5 + games / 1000, 1.0)
    slow = np.minimum(0.5 + games / 2000, 1.0)

    value, error = ratio((slow, games), (fast, games), 0.9, seed=1)

    assert value == pytest.approx(2.0, abs=0.1)
    assert error == 0.0


def test_an_order_that_is_never_reached_is_no_success() -> None:
    games = np.tile(20.0 * np.arange(1, 101), (4, 1))
    reached, missed = np.minimum(0.5 + games / 1000, 1.0), np.full((4, 100), 0.7)

    assert ratio((reached, games), (missed, games), 0.9, seed=1)[0] == 0.0
    assert ratio((missed, games), (reached, games), 0.9, seed=1)[0] == pytest.approx(4.8, abs=0.1)


def test_quality_seats_equals() -> None:
    parts = (Part("First", "0"), Part("Second", "1"))
    matchmaker = Quality(
        agents=range(4), num_players=2, games=10, seed=1, options={}, casting=lambda _: parts
    )
    scheduled: list[Pairing] = []
    for _ in range(4):
        known = Standings(
            agents=(0, 1, 2, 3),
            mean=np.array([0.0, 0.5, 20.0, 20.5]),
            covariance=np.eye(4),
            dollars=np.full(4, np.nan),
            scheduled=scheduled,
        )
        scheduled += matchmaker.next(known, 1)

    assert {tuple(sorted(pairing.agents)) for pairing in scheduled} == {(0, 1), (2, 3)}
