"""What the seats of a scenario are told: who they are, what counts for them, what is asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from arena.core import PlayerKnows
from arena.scenarios.checks import REFEREE
from arena.scenarios.reading import Scenario
from arena.scenarios.scoring import told
from arena.scenarios.shape import Persona, Profile, ScenarioShape, SceneShape, VerdictField
from arena.scenarios.values import ValueState
from arena.scenarios.verdict import schema_of

LABEL = "[GAME]"
SCHEMA = "Answer with one JSON object of this schema: "
SCORES = "What counts for you, in points:"

_PHASE = re.compile(rf"^{re.escape(LABEL)} Scene \d+ of \d+: ([^\n]+)$", re.MULTILINE)
_PLAYS = re.compile(
    rf"\A{re.escape(LABEL)} [^\n]*\nYou play ([^\n\[\]:]+)\.\n(?:Your team: ([^\n]+)\.\n)?"
)


def known(observation: str) -> PlayerKnows:
    """What the text of an observation tells its player of itself."""
    plays = _PLAYS.match(observation)
    phases = _PHASE.findall(observation)
    return PlayerKnows(
        role=plays[1] if plays else None,
        team=plays[2] if plays else None,
        phase=phases[-1] if phases else None,
    )


def opening(scenario: Scenario, player: int, values: Sequence[ValueState]) -> str:
    """What a persona is told before the first scene."""
    shape = scenario.shape
    me = shape.personas[player]
    return "\n".join(
        [
            f"{LABEL} Scenario: {shape.name}",
            f"You play {me.name}.",
            *([f"Your team: {me.team}."] if me.team else []),
            scenario.filled(shape.description),
            "",
            "Who takes part:",
            *(line for each in shape.personas for line in _introduced(each)),
            *_private(me, shape),
            *_settling(values, shape),
            "",
            f"Say what {me.name} says, in plain words. What others say stands behind their names.",
        ]
    )


def referees_opening(scenario: Scenario) -> str:
    """What the referee is told before it is asked."""
    shape = scenario.shape
    lines = [f"{LABEL} Scenario: {shape.name}", f"You are the {REFEREE.lower()}. You take no side."]
    lines += [scenario.filled(shape.description), "", "Who takes part, and what only they know:"]
    for each in shape.personas:
        lines += [*_introduced(each), *(f"  {line}" for line in profile_lines(each.private))]
    return "\n".join(lines)


def scene_begins(scenario: Scenario, number: int, speakers: Sequence[str]) -> str:
    """What everybody who takes part in a scene, counted from 1, is told at its start."""
    shape = scenario.shape
    scene: SceneShape = shape.scenes[number - 1]
    turns = "turn" if scene.timeout_turns == 1 else "turns"
    lines = [f"Scene {number} of {len(shape.scenes)}: {scene.title}"]
    if scene.description is not None:
        lines.append(scenario.filled(scene.description))
    if scene.goal is not None:
        lines.append(f"Goal: {scene.goal}")
    lines.append(f"Speaking, in this order: {', '.join(speakers)}. {scene.timeout_turns} {turns}.")
    return "\n".join(lines)


def question(scenario: Scenario, fields: Sequence[VerdictField]) -> str:
    """What the referee is asked when all scenes are over."""
    assert scenario.shape.referee is not None
    instructions = scenario.filled(scenario.shape.referee.instructions)
    return f"{LABEL} The scenes are over. {instructions}\n{SCHEMA}{json.dumps(schema_of(fields))}"


def _introduced(persona: Persona) -> Iterator[str]:
    yield f"- {persona.name}{f', {persona.role}' if persona.role else ''}"
    for line in profile_lines(persona):
        yield f"  {line}"


def profile_lines(profile: Profile) -> Iterator[str]:
    """What a profile says, a line for each of its parts."""
    if profile.background is not None:
        yield profile.background.strip()
    if profile.goals:
        yield f"Wants: {'; '.join(profile.goals)}"
    if profile.traits:
        yield f"Is: {'; '.join(profile.traits)}"


def private_lines(me: Persona) -> list[str]:
    """What only this persona knows."""
    return [*profile_lines(me.private)]


def counting_lines(me: Persona, shape: ScenarioShape) -> list[str]:
    """What counts for a persona, as it is told."""
    return [told(each) for each in shape.scoring if each.persona == me.name and not each.hidden]


def how_settled(value: ValueState, shape: ScenarioShape) -> str:
    """How a value is settled, for people."""
    if value.voters:
        names = ", ".join(shape.personas[player].name for player in value.voters)
        return f"voted on by {names}; most votes win"
    return f"agreed on when {value.needed} have stated the same"


def _private(me: Persona, shape: ScenarioShape) -> Iterator[str]:
    for title, lines in (
        ("Only you know:", private_lines(me)),
        (SCORES, [f"- {line}" for line in counting_lines(me, shape)]),
    ):
        if lines:
            yield from ("", title, *lines)


def _settling(values: Sequence[ValueState], shape: ScenarioShape) -> Iterator[str]:
    if values:
        yield ""
        yield "What can be settled, by what is stated in brackets (the latest statement holds):"
    for value in values:
        yield f"- [{value.shape.name}: VALUE], {value.takes()}; {how_settled(value, shape)}"
