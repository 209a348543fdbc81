"""`scripted/scenario-firm`: asks for the best, gives way slowly, and argues one point at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import moves, scenario


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """What it wants of every open value, or the next exhibit; at random in other games."""
    return scenario.play(messages, rng, _move, moves.reply)


def _move(view: scenario.ScenarioView, rng: random.Random) -> str:
    wanted = max(1.0 - 0.1 * view.spoken, 0.4)
    said = []
    for value in view.values:
        if value.mine:
            offer = next((each for each in value.theirs if value.share(each) >= wanted), None)
            said.append(f"[{value.name}: {offer or value.asking(wanted)}]")
    if said:
        return f"This is what I can do: {' '.join(said)}"
    left = [each for each in view.exhibits if each not in view.cited(view.me)]
    if left:
        return f"Look at {left[0]} with care: it speaks for my side."
    return rng.choice(scenario.SMALL_TALK)
