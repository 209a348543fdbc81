"""Templates of agents and of tournaments: changed in place, and deleted once nothing was made of
them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from db.errors import DatabaseError
from db.models import (
    Agent,
    AgentTemplate,
    AgentTemplateUse,
    Tournament,
    TournamentTemplate,
    TournamentTemplateUse,
)
from db.repository.agents import with_parts
from db.repository.rows import added, edited, removed

TemplateRow = TypeVar("TemplateRow", AgentTemplate, TournamentTemplate)


@dataclass(frozen=True, slots=True)
class TemplateUses:
    """What was made from a template, by name: `agents` of the catalogue, `tournaments`, and the
    tournament `templates` whose agents name it."""

    agents: Sequence[str] = ()
    tournaments: Sequence[str] = ()
    templates: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.agents or self.tournaments or self.templates)


class TemplateRepository:
    session: Session

    def add_template(self, row: TemplateRow) -> TemplateRow:
        """The row, with its key. Raises DatabaseError for a name that is taken."""
        return added(self.session, row, f"the {_noun(type(row))} {row.name!r}")

    def get_template_by_id(self, table: type[TemplateRow], template_id: int) -> TemplateRow | None:
        """The row as it is in the database now."""
        return self.session.get(table, template_id, populate_existing=True)

    def get_template_by_name(self, table: type[TemplateRow], name: str) -> TemplateRow | None:
        return self.session.exec(select(table).where(table.name == name)).first()

    def get_templates(self, table: type[TemplateRow]) -> Sequence[TemplateRow]:
        """Templates by name."""
        return self.session.exec(select(table).order_by(table.name)).all()

    def edit_template(self, row: TemplateRow, **values: Any) -> TemplateRow:
        """The row with some of its columns set. Raises DatabaseError for a name that is taken."""
        what = f"the {_noun(type(row))} {row.name!r}"
        return edited(self.session, row, what, **values, updated_at=datetime.now(UTC))

    def delete_template(self, row: AgentTemplate | TournamentTemplate) -> None:
        """Delete a template. Raises DatabaseError for one that something was made from."""
        removed(self.session, row, f"the {_noun(type(row))} {row.name!r}")

    def use_agent_template(self, template_id: int, agent_id: int) -> None:
        """Record that an agent was made from a template; again, it says nothing new. Raises
        DatabaseError for a template that is gone."""
        if self.session.get(AgentTemplateUse, (template_id, agent_id)) is None:
            self._check_there(AgentTemplate, template_id)
            row = AgentTemplateUse(template_id=template_id, agent_id=agent_id)
            added(self.session, row, f"the use of the agent template {template_id}")

    def use_tournament_template(self, template_id: int, tournament_id: int) -> None:
        """Record from which template a tournament was made first. Raises DatabaseError for one
        that is gone."""
        if self.session.get(TournamentTemplateUse, tournament_id) is None:
            self._check_there(TournamentTemplate, template_id)
            row = TournamentTemplateUse(template_id=template_id, tournament_id=tournament_id)
            added(self.session, row, f"the use of the tournament template {template_id}")

    def _check_there(self, table: type[TemplateRow], template_id: int) -> None:
        if self.get_template_by_id(table, template_id) is None:
            raise DatabaseError(
                f"the {_noun(table)} {template_id} was deleted a moment ago: `arena templates "
                "list` lists those that are left"
            )

    def get_agent_template_uses(self, template_id: int | None = None) -> dict[int, TemplateUses]:
        """What was made from each agent template, or from one, by number and in the order in which
        it was made; of one that nothing was made from, nothing is said."""
        query = (
            select(AgentTemplateUse.template_id, Agent)
            .join(Agent, col(AgentTemplateUse.agent_id) == col(Agent.id))
            .options(*with_parts())
            .order_by(col(Agent.id))
        )
        names = select(AgentTemplate.name, AgentTemplate.id)
        if template_id is not None:
            query = query.where(AgentTemplateUse.template_id == template_id)
            names = names.where(AgentTemplate.id == template_id)
        agents = _gathered((key, agent.label) for key, agent in self.session.exec(query))
        keys = {name: key or 0 for name, key in self.session.exec(names)}
        templates = _gathered(
            (keys[name], other.name)
            for other in self.get_templates(TournamentTemplate)
            for name in sorted(agent_templates_of(other.config) & keys.keys())
        )
        return {
            key: TemplateUses(agents=agents.get(key, ()), templates=templates.get(key, ()))
            for key in agents.keys() | templates.keys()
        }

    def get_tournament_template_uses(
        self, template_id: int | None = None
    ) -> dict[int, TemplateUses]:
        """The same of tournament templates."""
        query = (
            select(TournamentTemplateUse.template_id, Tournament.name)
            .join(Tournament, col(TournamentTemplateUse.tournament_id) == col(Tournament.id))
            .order_by(col(Tournament.id))
        )
        if template_id is not None:
            query = query.where(TournamentTemplateUse.template_id == template_id)
        found = _gathered(self.session.exec(query))
        return {key: TemplateUses(tournaments=names) for key, names in found.items()}


def _gathered(rows: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for key, name in rows:
        found.setdefault(key, []).append(name)
    return found


def agent_templates_of(config: Mapping[str, Any]) -> set[str]:
    """The names of the agent templates that the agents of a tournament file are made from."""
    agents = config.get("agents")
    return {
        agent["template"]
        for agent in (agents if isinstance(agents, list | tuple) else ())
        if isinstance(agent, Mapping) and isinstance(agent.get("template"), str)
    }


def _noun(table: type[AgentTemplate] | type[TournamentTemplate]) -> str:
    return "agent template" if table is AgentTemplate else "tournament template"
