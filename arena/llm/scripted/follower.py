"""`scripted/mafia-follower`: goes with the majority, and as Detective says whom it caught."""

from __future__ import annotations

import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import mafia, moves, talk


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """Joins the strongest accusation of the day, its own findings first."""
    return mafia.play(messages, rng, _move, moves.reply)


def _move(scene: mafia.Scene, rng: random.Random) -> str:
    others = scene.others
    if scene.phase == "investigate":
        fresh = [player for player in others if player not in scene.findings]
        return talk.say(talk.INVESTIGATE, rng, rng.choice(fresh or others))
    if scene.phase == "protect":
        claimed = [player for player in scene.claims if player in others]
        return talk.say(talk.PROTECT, rng, rng.choice(claimed or others))
    if scene.phase == "kill":
        seen = [line.accused for line in scene.said if line.player in scene.mates]
        agreed = next((player for player in reversed(seen) if player in others), None)
        return talk.say(talk.KILL, rng, agreed if agreed is not None else rng.choice(others))
    caught = [p for p, is_mafia in scene.findings.items() if is_mafia and p in scene.alive]
    if caught:
        lines = talk.VOTE if scene.phase == "vote" else talk.FOUND
        return talk.say(lines, rng, caught[0])
    cleared = {player for player, is_mafia in scene.findings.items() if not is_mafia}
    pressure = scene.pressure()
    able = [player for player in others if player not in cleared] or others
    rng.shuffle(able)
    target = max(able, key=lambda player: pressure[player])
    if scene.phase == "vote":
        return talk.say(talk.VOTE, rng, target)
    return talk.say(talk.AGREE if pressure[target] else talk.ACCUSE, rng, target)
