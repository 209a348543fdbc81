"""`scripted/mafia-sharp`: shares what it finds, weighs who accused whom, and votes together.

The Detective says every finding at once; the Doctor guards whoever claims to be the Detective;
villagers vote for whom a credible Detective names, else for the likeliest together; the Mafia
kills the Detective and Doctor first, never accuses its own, and has a Detective of its own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from arena.core import Message
from arena.llm.scripted import mafia, moves, talk

_CERTAIN = 100.0


def reply(messages: Sequence[Message], rng: random.Random) -> str:
    """The best move that the visible text supports; at random in other games."""
    return mafia.play(messages, rng, _move, moves.reply, _beliefs)


def _move(scene: mafia.Scene, rng: random.Random) -> str:
    if scene.role == "Mafia":
        return _as_mafia(scene, rng)
    suspicion = suspicions(scene)
    others = scene.others
    if scene.phase == "protect":
        claimed = [p for p in scene.claims if p in others and suspicion[p] < _CERTAIN]
        safest = min(others, key=lambda p: (suspicion[p], rng.random()))
        return talk.say(talk.PROTECT, rng, claimed[0] if claimed else safest)
    if scene.phase == "investigate":
        fresh = [p for p in others if p not in scene.findings] or others
        return talk.say(
            talk.INVESTIGATE, rng, max(fresh, key=lambda p: (suspicion[p], rng.random()))
        )
    pressure = scene.pressure()
    target = max(others, key=lambda p: (suspicion[p] + 0.6 * pressure[p], -p))
    if scene.phase == "vote":
        return talk.say(talk.VOTE, rng, target)
    if scene.role == "Detective":
        found = _to_tell(scene)
        if found is not None:
            player, is_mafia = found
            return talk.say(talk.FOUND if is_mafia else talk.CLEARED, rng, player)
    if target in scene.claims:
        return talk.say(talk.LIAR, rng, target)
    if suspicion[target] >= _CERTAIN / 2:
        return talk.say(talk.TRUST, rng, target)
    return talk.say(talk.AGREE if pressure[target] else talk.ACCUSE, rng, target)


def _to_tell(scene: mafia.Scene) -> tuple[int, bool] | None:
    told = scene.claims.get(scene.me, {})
    for player, is_mafia in scene.findings.items():
        if is_mafia and player in scene.alive:
            return player, True
    untold = [p for p in scene.findings if p not in told and p in scene.alive]
    return (untold[0], False) if untold else None


def suspicions(scene: mafia.Scene) -> dict[int, float]:
    """How likely each player is Mafia in the eyes of an honest one: 0 is anybody, ±100 certain."""
    suspicion = dict.fromkeys(range(scene.players), 0.0)
    innocent = {scene.me} | scene.killed
    innocent |= {p for p, is_mafia in scene.findings.items() if not is_mafia}
    liars = {p for p, is_mafia in scene.findings.items() if is_mafia}
    liars |= set(scene.claims) - {scene.me} if scene.role == "Detective" else set()
    for claimant, found in scene.claims.items():
        if any(is_mafia and player in innocent for player, is_mafia in found.items()):
            liars.add(claimant)
    # The Mafia answers a Detective with one of its own: the first to claim is believed.
    believed = [p for p in scene.claims if p not in liars]
    for rank, claimant in enumerate(believed):
        weight = 1.0 if rank == 0 or claimant in scene.killed else 0.2
        for player, is_mafia in scene.claims[claimant].items():
            suspicion[player] += weight * (_CERTAIN if is_mafia else -_CERTAIN / 4)
        suspicion[claimant] += -_CERTAIN / 2 if rank == 0 else _CERTAIN / 4
    for line in scene.said:
        if line.accused in innocent and line.player not in innocent:
            suspicion[line.player] += 0.5 if line.vote else 0.15
        elif line.accused in liars:
            suspicion[line.player] -= 0.3
    for player in liars:
        suspicion[player] = 2 * _CERTAIN
    for player in innocent:
        suspicion[player] = -2 * _CERTAIN
    return suspicion


def _beliefs(scene: mafia.Scene) -> dict[int, float]:
    """Its suspicions as probabilities: nothing known is three in ten."""
    suspicion = suspicions(scene)
    return {
        player: mafia.known(scene, player, 1 / (1 + math.exp(0.85 - max(-4.0, min(4.0, much)))))
        for player, much in suspicion.items()
        if player in scene.alive and player != scene.me
    }


def _as_mafia(scene: mafia.Scene, rng: random.Random) -> str:
    others = scene.others
    pressure = scene.pressure()
    rivals = [p for p in scene.claims if p != scene.me and p not in scene.mates]
    if scene.phase == "kill":
        agreed = [line.accused for line in scene.said if line.player in scene.mates]
        last = scene.said[-1] if scene.said else None
        if last is not None and last.player in scene.mates and agreed[-1] in others:
            return talk.say(talk.KILL, rng, agreed[-1])
        wanted = [*rivals, *scene.doctors]
        first = next((p for p in wanted if p in others), None)
        target = first if first is not None else min(others, key=lambda p: (pressure[p], p))
        return talk.say(talk.KILL, rng, target)
    accusers = [p for p in rivals if p in others]
    ours = {scene.me} | scene.mates
    target = max(others, key=lambda p: (pressure[p], p in accusers, -p))
    named = {p for rival in rivals for p, guilty in scene.claims[rival].items() if guilty}
    if accusers and named & ours:
        target = accusers[0]
    if scene.phase == "vote":
        return talk.say(talk.VOTE, rng, target)
    if scene.me in named and accusers:
        return talk.say(talk.COUNTER, rng, accusers[0])
    if scene.me in scene.claims or not (ours | set(rivals)) & set(scene.claims):
        # Whoever claims first is believed, and the real Detective may be dead.
        framed = [p for p, guilty in scene.claims.get(scene.me, {}).items() if guilty]
        standing = [p for p in framed if p in others]
        return talk.say(talk.FOUND, rng, standing[0] if standing else target)
    return talk.say(talk.AGREE if pressure[target] else talk.ACCUSE, rng, target)
