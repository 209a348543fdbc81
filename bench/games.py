"""Games to be rated: six-player Secret Mafia, and six players each for itself."""

from __future__ import annotations

import random

import numpy as np

from arena.core import Games, RatedPlayer
from arena.core.arrays import Integers

AGENTS = 12


def mafia_games(count: int, rng: random.Random, agents: int = AGENTS) -> Games:
    """`count` games of two against four between agents 0, 1, ...; every game is equally likely to
    seat any of them."""
    draw = np.random.default_rng(rng.getrandbits(64))
    mafia = _distinct(draw, count, 2, 6)
    seats = np.arange(6)
    teams = (mafia[:, :1] == seats) | (mafia[:, 1:] == seats)
    two_win = draw.random((count, 1)) < 0.65
    return Games(
        sizes=np.full(count, 6),
        agents=_distinct(draw, count, 6, agents).ravel(),
        teams=teams.astype(np.int64).ravel(),
        ranks=(teams != two_win).astype(np.int64).ravel(),
    )


def _distinct(draw: np.random.Generator, count: int, size: int, below: int) -> Integers:
    """(count, size) numbers below a number, no two alike in a row."""
    found = draw.integers(below, size=(count, size))
    again = np.arange(count)
    while len(again):
        alike = (np.diff(np.sort(found[again], axis=1), axis=1) == 0).any(axis=1)
        again = again[alike]
        found[again] = draw.integers(below, size=(len(again), size))
    return found


def free_for_alls(count: int, rng: random.Random) -> list[list[RatedPlayer]]:
    """`count` games of six players, each for itself, without ties."""
    return [
        [
            RatedPlayer(agent, team, rank)
            for team, (agent, rank) in enumerate(
                zip(rng.sample(range(AGENTS), 6), rng.sample(range(6), 6), strict=True)
            )
        ]
        for _ in range(count)
    ]
