"""Tells from a seed which role and team every player of a game will have."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import lru_cache

from arena.core import ArenaError, Casting, Environment, EnvironmentCrash, Part


def casting(make: Callable[[], Environment], num_players: int) -> Casting:
    """The parts that an environment deals out: a game from the seed is begun and looked at.

    Calling what it returns raises EnvironmentCrash where the rules cannot start a game.
    """

    @lru_cache(maxsize=1024)
    def cast(seed: int) -> tuple[Part, ...]:
        return begin(make(), seed, num_players)

    return cast


def begin(environment: Environment, seed: int, num_players: int) -> tuple[Part, ...]:
    """The parts of a game that has just begun. Raises UsageError for a number of players that the
    rules refuse; EnvironmentCrash for whatever else they raise."""
    try:
        environment.reset(seed=seed, num_players=num_players)
        players = environment.outcome(turn_limit=True).players
        return tuple(Part(player.role, player.team) for player in players)
    except ArenaError:
        raise
    except Exception as error:
        raise EnvironmentCrash(
            f"{environment.spec.name} raised {type(error).__name__}: {error}",
            traceback.format_exc(),
        ) from error
