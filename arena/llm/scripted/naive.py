"""`scripted/mafia-naive`: believes whoever spoke last. In other games it plays at random."""

from __future__ import annotations

import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import mafia, moves, talk


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """Votes with the last accusation; tells nobody what it found; spares its teammates."""
    return mafia.play(messages, rng, _move, moves.reply)


def _move(scene: mafia.Scene, rng: random.Random) -> str:
    others = scene.others
    target = rng.choice(others)
    if scene.phase == "vote":
        target = _last_accused(scene, others) or target
        return talk.say(talk.VOTE, rng, target)
    if scene.phase != "talk":
        return talk.say(talk.TARGETED[scene.phase], rng, target)
    if rng.random() < 0.3:
        return talk.say(talk.SMALL_TALK, rng)
    return talk.say(talk.ACCUSE, rng, target)


def _last_accused(scene: mafia.Scene, able: Sequence[int]) -> int | None:
    for line in reversed(scene.said):
        if line.day == scene.day and line.player != scene.me and line.accused in able:
            return line.accused
    return None
