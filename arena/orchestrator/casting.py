"""Tells from a seed which role and team every player of a game will have."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from arena.core import Casting, Environment, Part


def casting(make: Callable[[], Environment], num_players: int) -> Casting:
    """The parts that an environment deals out: a game from the seed is begun and looked at.

    Calling what it returns raises EnvironmentCrash where the rules cannot start a game.
    """

    @lru_cache(maxsize=1024)
    def cast(seed: int) -> tuple[Part, ...]:
        environment = make()
        environment.reset(seed=seed, num_players=num_players)
        players = environment.outcome(turn_limit=True).players
        return tuple(Part(player.role, player.team) for player in players)

    return cast
