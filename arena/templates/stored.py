"""Looks templates up in a database, for the files that name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from arena.config.templated import AgentParts, TournamentParts
from arena.core import UsageError
from arena.templates.schemas import ModelTemplate, Personality
from db import Repository, Session
from db.finding import unknown
from db.models import AgentTemplate, TournamentTemplate


class StoredTemplates:
    """The templates of a database, as `arena.config.templated.Templates`."""

    def __init__(self, session: Session) -> None:
        self._repo = Repository(session)

    def agent(self, name: str) -> AgentParts:
        """What a template says of an agent. Raises UsageError for a name that is not there."""
        row = self._repo.get_template_by_name(AgentTemplate, name)
        if row is None or row.id is None:
            rows = self._repo.get_templates(AgentTemplate)
            raise UsageError(not_there("agent template", name, (row.name for row in rows)))
        mind = Personality.model_validate(row.personality)
        model = ModelTemplate.model_validate(row.model)
        return AgentParts(
            key=row.id,
            name=row.name,
            kind=mind.kind,
            options=mind.options,
            prompt=mind.prompt,
            text=mind.text,
            vars=mind.vars,
            tools=[{name: options} for name, options in row.tools.items()],
            model=model.written(),
            params=model.params,
        )

    def tournament(self, name: str) -> TournamentParts:
        """What a template says of a tournament. Raises UsageError for a name that is not there."""
        row = self._repo.get_template_by_name(TournamentTemplate, name)
        if row is None or row.id is None:
            rows = self._repo.get_templates(TournamentTemplate)
            raise UsageError(not_there("tournament template", name, (row.name for row in rows)))
        return TournamentParts(row.id, row.config)

    def model(self, name: str) -> dict[str, Any] | None:
        """A model of the catalogue as a tournament file defines it, without its name."""
        from arena.orchestrator.specs import model_spec

        row = self._repo.get_model_by_name(name)
        if row is None:
            return None
        said = asdict(model_spec(row))
        del said["name"]
        return {key: value for key, value in said.items() if value is not None}


def not_there(noun: str, name: str, known: Iterable[str]) -> str:
    """What is said of a template that is not there, with the nearest that is."""
    names = [*known]
    if not names:
        return (
            f"unknown {noun} {name!r}: there is none yet; `arena db seed` adds those that come "
            "with the arena, `arena templates add FILE` one of yours"
        )
    return unknown(noun, name, names)
