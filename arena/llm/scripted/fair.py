"""`scripted/scenario-fair`: trades what is worth little for what is worth much, meets others
halfway, and takes up the points of the other side."""

from __future__ import annotations

import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import moves, scenario


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """What it can live with of every open value, or two exhibits; at random in other games."""
    return scenario.play(messages, rng, _move, moves.reply)


def _move(view: scenario.ScenarioView, rng: random.Random) -> str:
    wanted = max(0.9 - 0.15 * view.spoken, 0.3)
    most = max((value.at_stake() for value in view.values), default=0.0)
    said = []
    for value in view.values:
        if not value.mine:
            continue
        cheap = value.at_stake() < most / 3
        offer = next((e for e in value.theirs if cheap or value.share(e) >= wanted), None)
        said.append(f"[{value.name}: {offer or value.asking(wanted)}]")
    if said:
        return f"Let us meet: {' '.join(said)}"
    other = next((who for who in view.cast if who != view.me), None)
    mine = view.cited(view.me)
    answered = [each for each in view.cited(other) if each not in mine]
    left = [*answered, *(e for e in view.exhibits if e not in mine and e not in answered)]
    if left:
        return f"We have heard of {' and '.join(left[:2])}. There is another way to read it."
    return rng.choice(scenario.SMALL_TALK)
