"""Tells from a seed which role and team every player of a game will have."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from arena import registry
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
    with _crashing(environment):
        environment.reset(seed=seed, num_players=num_players)
        players = environment.outcome(turn_limit=True).players
        return tuple(Part(player.role, player.team) for player in players)


def play_at_random(
    make: Callable[[], Environment], seed: int, num_players: int, *, turns: int
) -> None:
    """Play a game, of so many turns at most, by the scripted model that knows no rules. Raises what
    `begin` raises."""
    environment, move = make(), registry.policy("random")
    rng = random.Random(seed)
    with _crashing(environment):
        environment.reset(seed=seed, num_players=num_players)
        for _ in range(turns):
            said = move([{"role": "user", "content": environment.observe().text}], rng)
            if environment.step(environment.prepare(said)).done:
                break
        environment.outcome(turn_limit=True)


@contextmanager
def _crashing(environment: Environment) -> Iterator[None]:
    try:
        yield
    except ArenaError:
        raise
    except Exception as error:
        raise EnvironmentCrash(
            f"{environment.spec.name} raised {type(error).__name__}: {error}",
            traceback.format_exc(),
        ) from error
