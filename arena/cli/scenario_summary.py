"""A scenario in the terminal: who plays, what happens, what counts, and what is kept from whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from arena.cli.output import console, print_line, safe

if TYPE_CHECKING:
    from arena.scenarios.summary import PersonaSummary, ScenarioSummary, SceneSummary


def print_scenario(summary: ScenarioSummary) -> None:
    """Print all that a scenario says."""
    out = console()
    for text in _lines(summary):
        print_line(safe(text), out)


def _lines(summary: ScenarioSummary) -> Iterator[str]:
    yield f"{summary.name}: {summary.description}"
    about = [*([summary.difficulty] if summary.difficulty else []), *summary.tags]
    known = [*([", ".join(about)] if about else []), f"at most {summary.turns} turns", summary.mark]
    yield " · ".join(known)
    for objective in summary.objectives:
        yield f"teaches: {objective}"
    yield ""
    for persona in summary.personas:
        yield from _persona(persona)
    yield ""
    for number, scene in enumerate(summary.scenes, start=1):
        yield from _scene(number, scene)
    for line in summary.narrator:
        yield f"narrator, {line.when}: {line.says}"
    for name, takes in summary.values.items():
        yield f"value {name}: {takes}"
    if summary.instructions is not None:
        answers = "1 answer" if summary.attempts == 1 else f"{summary.attempts} answers"
        yield f"referee, asked when the scenes are over, at most {answers}: {summary.instructions}"
    for name, takes in summary.verdict.items():
        yield f"verdict {name}: {takes}"


def _persona(persona: PersonaSummary) -> Iterator[str]:
    role = f", {persona.role}" if persona.role else ""
    team = f" (team {persona.team})" if persona.team else ""
    yield f"{persona.name}{role}{team}: {persona.low:g} to {persona.high:g} points"
    for line in persona.known:
        yield f"  {line}"
    for line in persona.private:
        yield f"  private: {line}"
    for count in persona.counts:
        yield f"  {'hidden from all' if count.hidden else 'private, counts'}: {count.what}"


def _scene(number: int, scene: SceneSummary) -> Iterator[str]:
    silent = f", heard by {', '.join(scene.observes)}" if scene.observes else ""
    speaks = f"{', '.join(scene.speaks)} in turn{silent}"
    yield f"scene {number}, {scene.title}: {speaks}; at most {scene.timeout_turns} turns"
    if scene.goal is not None:
        yield f"  goal: {scene.goal}"
    if scene.success is not None:
        yield f"  reached when {scene.success}"
