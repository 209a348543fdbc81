"""Secret Mafia as one player sees it, read from the visible text; what its policies share."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from arena.core import Message, Policy
from arena.llm.scripted.conversation import Conversation, read, write_beliefs, write_notes

Phase = Literal["kill", "protect", "investigate", "talk", "vote"]

_PHASES: tuple[tuple[str, Phase], ...] = (
    ("[GAME] Night has fallen. Mafia, agree on a victim.", "kill"),
    ("[GAME] Night phase - choose one player to protect", "protect"),
    ("[GAME] Night phase - choose one player to investigate", "investigate"),
    ("[GAME] Day breaks.", "talk"),
    ("[GAME] Voting phase", "vote"),
)

_OPENING = "Welcome to Secret Mafia! You are Player "
_ME = re.compile(re.escape(_OPENING) + r"(\d+)\.\nYour role: (\w+)")
_SEATS = re.compile(r"^Players: (.*)$", re.MULTILINE)
_MATES = re.compile(r"^Your teammates are: (.*)$", re.MULTILINE)
_LINE = re.compile(r"^\[(?:GAME|Player (\d+))\] (.*)$", re.MULTILINE)
_NUMBER = re.compile(r"\d+")
_RESULT = re.compile(r"Player (\d+) IS( NOT)? a Mafia member")
_GONE = re.compile(
    r"Player (\d+) (was killed during the night|was eliminated by vote|has been eliminated)"
)
_CLAIM = re.compile(r"\bI(?:'m| am) the (?:real |true )?(Detective|Doctor)\b", re.IGNORECASE)
_FINDING = re.compile(r"\bPlayer (\d+) is (not |not a |a )?Mafia\b", re.IGNORECASE)
_NAMED = re.compile(r"\[(?:player\s*)?(\d+)\]|\bPlayer (\d+)\b", re.IGNORECASE)
_KIND = re.compile(r"\b(?:trust|believe|not|innocent|clear|cleared|protect)\b", re.IGNORECASE)
_VOTE = re.compile(r"\[(?:player\s*)?(\d+)\]", re.IGNORECASE)
_REMEMBERED = 300  # characters

_KEPT = re.compile(r"^\[(?:GAME|Player \d+)\] .*$", re.MULTILINE)


@dataclass(slots=True)
class Said:
    """One line of a player. `accused` is who it points at, `vote` whether it was a vote."""

    player: int
    text: str
    day: int
    vote: bool
    accused: int | None


@dataclass(slots=True)
class Scene:
    """What a player knows: itself, who is gone and how, what was said, and what is asked of it.

    `findings` are a detective's own; `claims` map who says it is Detective to what it says it
    found (player to whether Mafia), in order of the claims; `doctors` say they are Doctor.
    """

    me: int
    role: str
    players: int
    mates: frozenset[int]
    phase: Phase
    valid: list[int]
    day: int = 0
    findings: dict[int, bool] = field(default_factory=dict)
    killed: set[int] = field(default_factory=set)
    voted_out: set[int] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)
    claims: dict[int, dict[int, bool]] = field(default_factory=dict)
    doctors: set[int] = field(default_factory=set)

    @property
    def alive(self) -> list[int]:
        """Everyone still in the game, this player too."""
        gone = self.killed | self.voted_out
        return [player for player in range(self.players) if player not in gone]

    @property
    def others(self) -> list[int]:
        """Who may be chosen now, this player and its teammates left out where that is possible."""
        able = self.valid if self.phase != "talk" else self.alive
        apart = [p for p in able if p != self.me and p not in self.mates]
        return apart or [p for p in able if p != self.me] or list(able)

    def pressure(self) -> Counter[int]:
        """How many players point at each one today; everybody counts with the last word."""
        last = {line.player: line.accused for line in self.said if line.day == self.day}
        return Counter(accused for accused in last.values() if accused is not None)


def see(conversation: Conversation) -> Scene | None:
    """The scene, or None when the text is not of Secret Mafia."""
    text = conversation.text
    opening = _ME.search(text)
    if opening is None:
        return None
    seats = _SEATS.search(text)
    mates = _MATES.search(text)
    at, phase = max(((text.rfind(marker), name) for marker, name in _PHASES), key=lambda p: p[0])
    asked = text[at:] if at >= 0 else ""
    if phase == "kill":
        asked = asked.partition("\n")[2]
    valid_line = asked.partition(":")[2].partition("\n")[0] if at >= 0 else ""
    me = int(opening[1])
    scene = Scene(
        me=me,
        role=opening[2],
        players=len(seats[1].split(",")) if seats else 0,
        mates=frozenset(int(n) for n in _NUMBER.findall(mates[1])) - {me} if mates else frozenset(),
        phase=phase,
        valid=[int(n) for n in _NUMBER.findall(valid_line)],
    )
    voting = False
    for line in _LINE.finditer(text, opening.end()):
        speaker, said = line[1], line[2]
        if speaker is None:
            voting = _game_says(scene, said, voting)
        else:
            _player_says(scene, int(speaker), said, voting)
    if phase == "talk" or not scene.valid:
        scene.valid = scene.alive
    return scene


def _game_says(scene: Scene, said: str, voting: bool) -> bool:
    if said.startswith("Day breaks"):
        scene.day += 1
        return False
    if said.startswith("Voting phase"):
        return True
    if (found := _RESULT.match(said)) is not None:
        scene.findings[int(found[1])] = found[2] is None
    elif (gone := _GONE.match(said)) is not None:
        out = scene.killed if "killed" in gone[2] else scene.voted_out
        out.add(int(gone[1]))
    elif (fact := _LINE.match(said)) is not None and fact[1] is not None:
        _player_says(scene, int(fact[1]), fact[2], voting)
    return voting


def _player_says(scene: Scene, player: int, said: str, voting: bool) -> None:
    # Everybody reads the same lines at every turn; a long one is not worth its memory.
    hear = _hear if len(said) <= _REMEMBERED else _hear.__wrapped__
    role, findings, accused = hear(said, player, voting)
    if role == "doctor":
        scene.doctors.add(player)
    elif role == "detective":
        scene.claims.setdefault(player, {}).update(findings)
    scene.said.append(Said(player, said, scene.day, voting, accused))


@lru_cache(maxsize=4096)
def _hear(
    said: str, speaker: int, voting: bool
) -> tuple[str | None, tuple[tuple[int, bool], ...], int | None]:
    """The role that a line claims, what it says it found, and whom it accuses."""
    accused = _accused(said, speaker, voting)
    claim = _CLAIM.search(said)
    if claim is None:
        return None, (), accused
    found = [(int(f[1]), "not" not in (f[2] or "").lower()) for f in _FINDING.finditer(said)]
    return claim[1].lower(), tuple(found), accused


def _accused(said: str, speaker: int, voting: bool) -> int | None:
    if voting:
        vote = _VOTE.findall(said)
        return int(vote[-1]) if vote else None
    for sentence in re.split(r"[.!?;]", said):
        named = [int(a or b) for a, b in _NAMED.findall(sentence)]
        if named and named[0] != speaker and not _KIND.search(sentence):
            return named[0]
    return None


def _roles_of(scene: Scene, player: int, likely: Mapping[int, float]) -> dict[str, float]:
    """How likely a player has each role: who claims one and is no Mafia has it, of the others half
    are villagers."""
    mafia = likely[player]
    if player in scene.claims:
        rest = {"Detective": 1.0}
    elif player in scene.doctors:
        rest = {"Doctor": 1.0}
    else:
        rest = {"Villager": 0.5, "Doctor": 0.25, "Detective": 0.25}
    return {"Mafia": mafia, **{role: (1 - mafia) * share for role, share in rest.items()}}


Move = Callable[[Scene, random.Random], str]
Beliefs = Callable[[Scene], dict[int, float]]


def beliefs_of(scene: Scene) -> dict[int, float]:
    """How likely each of the others who live is Mafia, from 0 to 1: what this player knows, else
    what the others say today."""
    pressure = scene.pressure()
    return {
        player: known(scene, player, min(0.3 + 0.15 * pressure[player], 0.9))
        for player in scene.alive
        if player != scene.me
    }


def known(scene: Scene, player: int, guess: float) -> float:
    """0 or 1 for a player whose side this one knows, else the guess."""
    if scene.mates or scene.role == "Mafia":
        return float(player in scene.mates)
    found = scene.findings.get(player)
    return guess if found is None else float(found)


def play(
    messages: Sequence[Message],
    rng: random.Random,
    move: Move,
    otherwise: Policy,
    beliefs: Beliefs = beliefs_of,
) -> str:
    """The reply of a Secret Mafia policy: notes where they are asked for, its move in Secret
    Mafia, and what `otherwise` says in any other environment."""
    conversation = read(messages)
    scene = see(conversation)
    if scene is None:
        return otherwise(messages, rng)
    if conversation.wants_roles:
        likely = beliefs(scene)
        return write_beliefs({player: _roles_of(scene, player, likely) for player in likely})
    if not conversation.wants_notes:
        return move(scene, rng)
    facts = facts_of(conversation, scene)
    if not conversation.wants_beliefs:
        return write_notes(facts, "")
    claims = {
        **dict.fromkeys(sorted(scene.doctors), "Doctor"),
        **dict.fromkeys(scene.claims, "Detective"),
    }
    likely = beliefs(scene)
    first = max(likely, key=lambda player: likely[player], default=None)
    plan = "" if first is None else f"watch Player {first}"
    return write_notes(facts, plan, likely, claims)


def facts_of(conversation: Conversation, scene: Scene) -> list[str]:
    """What is worth writing down, as lines that `see` reads again: deaths, own findings, claims."""
    facts = list(conversation.facts)
    for line in _KEPT.finditer(conversation.text):
        said = line[0]
        content = said.partition("] ")[2]
        if said.startswith("[GAME]"):
            fact = content if _RESULT.match(content) or _GONE.match(content) else None
        else:
            fact = said if _CLAIM.search(content) else None
        if fact is not None and fact not in facts:
            facts.append(fact)
    return facts
