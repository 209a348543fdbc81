"""What a scenario is, in short: for whoever wants to know before playing it."""

from __future__ import annotations

from dataclasses import dataclass

from arena.scenarios.reading import Scenario
from arena.scenarios.scoring import bounds
from arena.scenarios.values import takes
from arena.scenarios.verdict import fields_of


@dataclass(frozen=True, slots=True)
class PersonaSummary:
    """A seat; `low` and `high` are the fewest and the most points that it can have."""

    name: str
    role: str | None
    team: str | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SceneSummary:
    """A scene: who speaks, who only listens, and when it ends at the latest."""

    title: str
    goal: str | None
    speaks: tuple[str, ...]
    observes: tuple[str, ...]
    timeout_turns: int


@dataclass(frozen=True, slots=True)
class ScenarioSummary:
    """`version` is that of the rules, with the mark of the content; `values` are what may be
    settled, by name; `verdict` what a referee is asked for, by field, empty without one; `turns`
    are the most that a game has, without those of a referee that is asked again."""

    name: str
    description: str
    mark: str
    tags: tuple[str, ...]
    difficulty: str | None
    objectives: tuple[str, ...]
    personas: tuple[PersonaSummary, ...]
    values: dict[str, str]
    scenes: tuple[SceneSummary, ...]
    verdict: dict[str, str]
    texts: tuple[str, ...]
    turns: int


def summary_of(scenario: Scenario) -> ScenarioSummary:
    """The summary of a scenario."""
    shape = scenario.shape
    names = tuple(persona.name for persona in shape.personas)
    scenes = []
    for scene in shape.scenes:
        speaks = names if scene.speaks is None else scene.speaks
        silent = tuple(name for name in names if name not in speaks)
        observes = silent if scene.observes is None else scene.observes
        scenes.append(SceneSummary(scene.title, scene.goal, speaks, observes, scene.timeout_turns))
    return ScenarioSummary(
        name=shape.name,
        description=" ".join(scenario.filled(shape.description).split()),
        mark=scenario.mark,
        tags=shape.tags,
        difficulty=shape.difficulty,
        objectives=shape.objectives,
        personas=tuple(
            PersonaSummary(each.name, each.role, each.team, *bounds(shape.scoring, each.name))
            for each in shape.personas
        ),
        values={each.name: takes(each.number, each.options) for each in shape.values},
        scenes=tuple(scenes),
        verdict={
            each.name: "a text" if each.text is not None else takes(each.number, each.options)
            for each in fields_of(shape)
        },
        texts=tuple(each.name for each in shape.texts),
        turns=sum(scene.timeout_turns for scene in shape.scenes) + (shape.referee is not None),
    )
