"""`scripted/scenario-referee`: judges by what was said, never by who said it first."""

from __future__ import annotations

import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import moves, scenario


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """A verdict where one is asked for; at random in a seat of another kind."""
    return scenario.play(messages, rng, _move, moves.reply)


def _move(view: scenario.ScenarioView, rng: random.Random) -> str:
    return rng.choice(scenario.SMALL_TALK)
