"""`scripted/random`: a legal move at random in Secret Mafia and in the games of `moves`."""

from __future__ import annotations

import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import mafia, moves, talk


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """Any legal move, each about as likely as another."""
    return mafia.play(messages, rng, _move, moves.reply)


def _move(scene: mafia.Scene, rng: random.Random) -> str:
    able = [player for player in scene.valid if player != scene.me] or scene.valid
    target = rng.choice(able) if able else scene.me
    if scene.phase != "talk":
        return talk.say(talk.TARGETED[scene.phase], rng, target)
    if rng.random() < 0.4:
        return talk.say(talk.SMALL_TALK, rng)
    return talk.say(talk.ACCUSE, rng, target)
