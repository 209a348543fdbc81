"""Adds what comes with the arena to a database: kinds of event, kinds of agent, scripted models,
prompts, and templates. What is there already stays as it is, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from arena import registry
from arena.config.shipped import folder
from arena.events.kinds import KINDS
from arena.templates.files import read_template
from arena.templates.manager import TemplateManager
from arena.templates.schemas import AgentTemplateCreate, TournamentTemplateCreate
from db import Repository, Session

STARTERS = Path(__file__).parent / "starters"

State = Literal["added", "unchanged", "differs"]


@dataclass(frozen=True, slots=True)
class SeededRow:
    """What became of a row that comes with the arena: it is new, was there as it comes, or was
    there otherwise, which stays."""

    noun: str
    name: str
    state: State


def starters() -> Sequence[AgentTemplateCreate | TournamentTemplateCreate]:
    """The templates that come with the arena: first those of agents, which others name."""
    found = [
        read_template(file.read_text(encoding="utf-8"), file.name)
        for file in sorted(STARTERS.glob("*.yaml"))
    ]
    return sorted(found, key=lambda each: isinstance(each, TournamentTemplateCreate))


def seed(session: Session) -> list[SeededRow]:
    """Add what is missing, in the caller's transaction. A second time, nothing is."""
    Repository(session).lock_catalogue()
    return [*_seed(session)]


def _seed(session: Session) -> Iterator[SeededRow]:
    repo = Repository(session)
    for event in KINDS:
        known = repo.get_event_type_by_name(event.name)
        same = known is not None and known.data_schema == event.schema
        yield _row("kind of event", event.name, known, same=same)
        if known is None:
            repo.create_event_type(event.name, event.description, event.schema)
    for name in registry.names("agents"):
        version = registry.kind(name).version
        kind = repo.get_kind_by_name(name, version=version)
        yield _row("kind", name, kind, same=True)
        if kind is None:
            repo.create_kind(name, version=version)
    for name in registry.names("scripted"):
        model = repo.get_model_by_name(name)
        litellm_model = f"scripted/{name}"
        same = model is not None and (model.litellm_model_name, model.params) == (litellm_model, {})
        yield _row("model", name, model, same=same)
        if model is None:
            repo.create_model(name, litellm_model)
    for file in sorted((folder() / "prompts").glob("*.md")):
        text = file.read_text(encoding="utf-8")
        prompt = repo.get_prompt_by_name(file.stem)
        yield _row("prompt", file.stem, prompt, same=prompt is not None and prompt.content == text)
        if prompt is None:
            repo.create_prompt(file.stem, text)
    manager = TemplateManager(session)
    for starter in starters():
        yield _seed_template(manager, starter)


def _seed_template(
    manager: TemplateManager, starter: AgentTemplateCreate | TournamentTemplateCreate
) -> SeededRow:
    said = starter.model_dump()
    if isinstance(starter, AgentTemplateCreate):
        noun, known = "agent template", manager.get_agent_template(starter.name)
        if known is None:
            manager.create_agent_template(starter)
            return SeededRow(noun, starter.name, "added")
        return _row(noun, starter.name, known, same=known.model_dump(include={*said}) == said)
    noun, other = "tournament template", manager.get_tournament_template(starter.name)
    if other is None:
        manager.create_tournament_template(starter)
        return SeededRow(noun, starter.name, "added")
    return _row(noun, starter.name, other, same=other.model_dump(include={*said}) == said)


def _row(noun: str, name: str, known: object | None, *, same: bool) -> SeededRow:
    if known is None:
        return SeededRow(noun, name, "added")
    return SeededRow(noun, name, "unchanged" if same else "differs")
