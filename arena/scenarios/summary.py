"""What a scenario is, in short: for whoever wants to know before playing it."""

from __future__ import annotations

from dataclasses import dataclass

from arena.scenarios.briefing import how_settled, private_lines, profile_lines
from arena.scenarios.reading import Scenario
from arena.scenarios.scoring import bounds, told
from arena.scenarios.shape import NarratorLine, Persona, ScenarioShape, SceneShape
from arena.scenarios.values import takes, values_of
from arena.scenarios.verdict import fields_of


@dataclass(frozen=True, slots=True)
class CountSummary:
    """What counts for a persona; where it is `hidden`, no player is told."""

    what: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class PersonaSummary:
    """A seat: what everybody is told of it, what it alone is told, and what counts for it; `low`
    and `high` are the fewest and the most points that it can have."""

    name: str
    role: str | None
    team: str | None
    low: float
    high: float
    known: tuple[str, ...]
    private: tuple[str, ...]
    counts: tuple[CountSummary, ...]


@dataclass(frozen=True, slots=True)
class SceneSummary:
    """A scene: who speaks, who only listens, when it has reached its goal, and when it ends at the
    latest."""

    title: str
    goal: str | None
    speaks: tuple[str, ...]
    observes: tuple[str, ...]
    timeout_turns: int
    success: str | None


@dataclass(frozen=True, slots=True)
class NarratorSummary:
    """A line of the narrator's, and when it is said."""

    when: str
    says: str


@dataclass(frozen=True, slots=True)
class ScenarioSummary:
    """`mark` tells its content from any other; `values` are what may be settled and how, by name;
    `verdict` what a referee is asked for, by field, empty without one, when it is given
    `instructions` and so many `attempts`; `turns` are the most that a game has, without those of a
    referee that is asked again.
    """

    name: str
    description: str
    mark: str
    tags: tuple[str, ...]
    difficulty: str | None
    objectives: tuple[str, ...]
    personas: tuple[PersonaSummary, ...]
    values: dict[str, str]
    scenes: tuple[SceneSummary, ...]
    narrator: tuple[NarratorSummary, ...]
    instructions: str | None
    attempts: int
    verdict: dict[str, str]
    texts: tuple[str, ...]
    turns: int


def summary_of(scenario: Scenario) -> ScenarioSummary:
    """The summary of a scenario."""
    shape = scenario.shape
    names = tuple(persona.name for persona in shape.personas)
    referee = shape.referee
    return ScenarioSummary(
        name=shape.name,
        description=_line(scenario.filled(shape.description)),
        mark=scenario.mark,
        tags=shape.tags,
        difficulty=shape.difficulty,
        objectives=shape.objectives,
        personas=tuple(_persona(each, shape) for each in shape.personas),
        values={
            each.shape.name: f"{each.takes()}; {how_settled(each, shape)}"
            for each in values_of(shape)
        },
        scenes=tuple(_scene(each, names) for each in shape.scenes),
        narrator=tuple(
            NarratorSummary(_when(each), _line(scenario.filled(each.say)))
            for each in shape.narrator
        ),
        instructions=None if referee is None else _line(scenario.filled(referee.instructions)),
        attempts=0 if referee is None else referee.attempts,
        verdict={
            each.name: "a text" if each.text is not None else takes(each.number, each.options)
            for each in fields_of(shape)
        },
        texts=tuple(each.name for each in shape.texts),
        turns=sum(scene.timeout_turns for scene in shape.scenes) + (referee is not None),
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _persona(persona: Persona, shape: ScenarioShape) -> PersonaSummary:
    return PersonaSummary(
        persona.name,
        persona.role,
        persona.team,
        *bounds(shape.scoring, persona.name),
        known=tuple(map(_line, profile_lines(persona))),
        private=tuple(map(_line, private_lines(persona))),
        counts=tuple(
            CountSummary(told(each), each.hidden)
            for each in shape.scoring
            if each.persona == persona.name
        ),
    )


def _scene(scene: SceneShape, names: tuple[str, ...]) -> SceneSummary:
    speaks = names if scene.speaks is None else scene.speaks
    silent = tuple(name for name in names if name not in speaks)
    observes = silent if scene.observes is None else scene.observes
    return SceneSummary(
        scene.title, scene.goal, speaks, observes, scene.timeout_turns, _success(scene)
    )


def _success(scene: SceneShape) -> str | None:
    success = scene.success
    if success is None:
        return None
    if success.said is not None:
        return f"{success.by or 'somebody'} says {success.said!r}"
    if success.referee is not None:
        return f"the referee says yes to {success.referee!r}"
    return f"{', '.join(success.settled)} {'is' if len(success.settled) == 1 else 'are'} settled"


def _when(line: NarratorLine) -> str:
    place = "" if line.scene is None else f"in {line.scene}, "
    if line.after is not None:
        return f"{place}after {line.after} turn{'' if line.after == 1 else 's'}"
    if line.said is not None:
        return f"{place}the first time that {line.said!r} is said"
    if line.at == "settled":
        return f"{place}when {line.value or 'a value'} is settled"
    return f"{place}at the {line.at}" if line.scene else f"at the {line.at} of each scene"
