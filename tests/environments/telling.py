"""Plays a game from a list of actions, for the tests of what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arena.core import Event
from arena.environments.textarena import TextArena
from arena.game.rules import GuardedRules


def played(
    name: str, actions: Sequence[str], *, players: int, seed: int = 1, **options: Any
) -> tuple[Event, ...]:
    """The events of a game in which these are the actions, in turn."""
    rules = GuardedRules(lambda: TextArena(name=name, **options), players)
    rules.reset(seed)
    done = False
    for turn, action in enumerate(actions):
        assert not done, f"the game is over after {turn} turns"
        player = rules.observe(turn).player_index
        rules.events.acted(turn, player, action, None)
        step = rules.step(rules.read(action).text)
        rules.events.stepped(turn, player, invalid=step.invalid, eliminated=step.eliminated)
        done = step.done
    gathered = rules.events.ended(rules.outcome(turn_limit=not done))
    assert gathered.error is None, gathered.error
    return gathered.events
