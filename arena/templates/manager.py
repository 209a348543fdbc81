"""Makes, changes and deletes templates: checked in depth, and never taken from under what was made
from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from arena.config.errors import Problem
from arena.core import UsageError
from arena.templates.schemas import (
    AgentTemplateCreate,
    AgentTemplateResponse,
    AgentTemplateUpdate,
    TournamentTemplateCreate,
    TournamentTemplateResponse,
    TournamentTemplateUpdate,
)
from arena.templates.stored import StoredTemplates
from db import Repository, Session
from db.models import AgentTemplate, TournamentTemplate
from db.repository.templates import TemplateRow, TemplateUses

Created = TypeVar("Created", AgentTemplateCreate, TournamentTemplateCreate)


class TemplateManager:
    """The templates of a database, on a session that the caller opens and commits.

    What is made or changed is checked first: ConfigError names the key, what was found and what is
    expected. UsageError is raised for a template that is not there, for a name that is taken, and
    for one in use that would be renamed or deleted.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._repo = Repository(session)

    # Agent templates

    def create_agent_template(self, template: AgentTemplateCreate) -> AgentTemplateResponse:
        """A new template."""
        self._repo.lock_catalogue()
        self._check_agent(template)
        self._check_free(AgentTemplate, template)
        return _agent(self._repo.add_template(AgentTemplate(**_agent_columns(template))))

    def list_agent_templates(self) -> list[AgentTemplateResponse]:
        """All of them, by name."""
        return [_agent(row) for row in self._repo.get_templates(AgentTemplate)]

    def get_agent_template(self, name: str) -> AgentTemplateResponse | None:
        """The template of this name; None where there is none."""
        row = self._repo.get_template_by_name(AgentTemplate, name)
        return None if row is None else _agent(row)

    def get_agent_template_by_id(self, template_id: int) -> AgentTemplateResponse | None:
        """The template of this number; None where there is none."""
        row = self._repo.get_template_by_id(AgentTemplate, template_id)
        return None if row is None else _agent(row)

    def update_agent_template(
        self, template_id: int, update_data: AgentTemplateUpdate
    ) -> AgentTemplateResponse:
        """The template with what is said in the place of what was. What was made from it stays as
        it is."""
        row = self._row(AgentTemplate, template_id)
        changed = _with(AgentTemplateCreate, _agent(row), update_data)
        self._check_agent(changed)
        self._check_renamed(row, changed)
        return _agent(self._repo.edit_template(row, **_agent_columns(changed)))

    def delete_agent_template(self, template_id: int) -> None:
        """Delete a template that nothing was made from."""
        self._delete(self._row(AgentTemplate, template_id))

    def agent_template_uses(self) -> dict[int, TemplateUses]:
        """By the template's number: the agents that were made from it, and the tournament templates
        that name it. Of one without any, nothing is said."""
        return self._repo.get_agent_template_uses()

    # Tournament templates

    def create_tournament_template(
        self, template: TournamentTemplateCreate
    ) -> TournamentTemplateResponse:
        """A new template."""
        self._repo.lock_catalogue()
        self._check_tournament(template)
        self._check_free(TournamentTemplate, template)
        row = TournamentTemplate(**_tournament_columns(template))
        return _tournament(self._repo.add_template(row))

    def list_tournament_templates(self) -> list[TournamentTemplateResponse]:
        """All of them, by name."""
        return [_tournament(row) for row in self._repo.get_templates(TournamentTemplate)]

    def get_tournament_template(self, name: str) -> TournamentTemplateResponse | None:
        """The template of this name; None where there is none."""
        row = self._repo.get_template_by_name(TournamentTemplate, name)
        return None if row is None else _tournament(row)

    def get_tournament_template_by_id(self, template_id: int) -> TournamentTemplateResponse | None:
        """The template of this number; None where there is none."""
        row = self._repo.get_template_by_id(TournamentTemplate, template_id)
        return None if row is None else _tournament(row)

    def update_tournament_template(
        self, template_id: int, update_data: TournamentTemplateUpdate
    ) -> TournamentTemplateResponse:
        """The template with what is said in the place of what was. What was made from it stays as
        it is."""
        row = self._row(TournamentTemplate, template_id)
        changed = _with(TournamentTemplateCreate, _tournament(row), update_data)
        self._check_tournament(changed)
        self._check_renamed(row, changed)
        return _tournament(self._repo.edit_template(row, **_tournament_columns(changed)))

    def delete_tournament_template(self, template_id: int) -> None:
        """Delete a template that nothing was made from."""
        self._delete(self._row(TournamentTemplate, template_id))

    def tournament_template_uses(self) -> dict[int, TemplateUses]:
        """By the template's number: the tournaments that were made from it."""
        return self._repo.get_tournament_template_uses()

    # What both share

    def _check_tournament(self, template: TournamentTemplateCreate) -> None:
        # Who only looks at templates does not wait for what plays.
        from arena.templates.checks import check_tournament

        check_tournament(template, StoredTemplates(self.session))

    def _check_agent(self, template: AgentTemplateCreate) -> None:
        from arena.templates.checks import check_agent

        def text_of(name: str) -> str | None:
            row = self._repo.get_prompt_by_name(name)
            return None if row is None else row.content

        check_agent(template, text_of)

    def _row(self, table: type[TemplateRow], template_id: int) -> TemplateRow:
        """The row as it is now, which nobody else changes until the session commits."""
        self._repo.lock_catalogue()
        row = self._repo.get_template_by_id(table, template_id)
        if row is None:
            raise UsageError(
                f"there is no {_noun(table)} {template_id}: `arena templates list` lists them"
            )
        return row

    def _check_free(
        self, table: type[TemplateRow], template: AgentTemplateCreate | TournamentTemplateCreate
    ) -> None:
        if self._repo.get_template_by_name(table, template.name) is not None:
            said = (
                f"name: there is {_a(table)} {template.name!r} already: choose another name, or "
                "change that one with `arena templates edit`"
            )
            raise template.error(Problem(("name",), said))

    def _check_renamed(
        self, row: TemplateRow, changed: AgentTemplateCreate | TournamentTemplateCreate
    ) -> None:
        if row.name == changed.name:
            return
        self._check_free(type(row), changed)
        if named := self._uses(row).templates:
            raise UsageError(
                f"the {_noun(type(row))} {row.name!r} is known by its name in the tournament "
                f"template{'s' if len(named) > 1 else ''} {listed(named)}: change that first"
            )

    def _uses(self, row: AgentTemplate | TournamentTemplate) -> TemplateUses:
        key = row.id or 0
        if isinstance(row, AgentTemplate):
            return self._repo.get_agent_template_uses(key).get(key, TemplateUses())
        return self._repo.get_tournament_template_uses(key).get(key, TemplateUses())

    def _delete(self, row: AgentTemplate | TournamentTemplate) -> None:
        uses = self._uses(row)
        if uses:
            raise UsageError(
                f"the {_noun(type(row))} {row.name!r} is used by {told(uses)}: what was made "
                "from it says so; delete that first, or keep the template"
            )
        self._repo.delete_template(row)


def told(uses: TemplateUses) -> str:
    """What uses a template, in words."""
    parts = (
        ("agent", uses.agents),
        ("tournament", uses.tournaments),
        ("tournament template", uses.templates),
    )
    return "; ".join(
        f"the {noun}{'s' if len(names) > 1 else ''} {listed(names)}"
        for noun, names in parts
        if names
    )


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names with commas between them; of very many the first."""
    more = len(names) - most
    return ", ".join(map(repr, names[:most])) + (f" and {more} more" if more > 0 else "")


def _with(shape: type[Created], known: Any, update: Any) -> Created:
    """What is known, with what is said in its place."""
    fields = {name: getattr(known, name) for name in shape.model_fields}
    said = {name: getattr(update, name) for name in update.model_fields_set}
    empty = {name for name, value in said.items() if value is None and name != "description"}
    if empty:
        name = sorted(empty)[0]
        raise UsageError(
            f"{name}: expected what it becomes, found nothing; leave it out to keep it"
        )
    return shape(**{**fields, **said}).placed(*update.origin)


def _agent_columns(template: AgentTemplateCreate) -> dict[str, Any]:
    said = template.model_dump(mode="json", exclude_defaults=True)
    return {
        "name": template.name,
        "description": template.description,
        **{section: said.get(section, {}) for section in ("personality", "model", "tools")},
    }


def _agent(row: AgentTemplate) -> AgentTemplateResponse:
    return AgentTemplateResponse.model_validate(row.model_dump())


def _tournament_columns(template: TournamentTemplateCreate) -> dict[str, Any]:
    flow = [step.model_dump(mode="json", exclude_none=True) for step in template.event_flow]
    return {
        "name": template.name,
        "description": template.description,
        "config": dict(template.config),
        "roles": dict(template.roles),
        "event_flow": {"steps": flow} if flow else {},
    }


def _tournament(row: TournamentTemplate) -> TournamentTemplateResponse:
    fields = row.model_dump() | {"event_flow": row.event_flow.get("steps", ())}
    return TournamentTemplateResponse.model_validate(fields)


def _noun(table: type[AgentTemplate] | type[TournamentTemplate]) -> str:
    return "agent template" if table is AgentTemplate else "tournament template"


def _a(table: type[AgentTemplate] | type[TournamentTemplate]) -> str:
    return f"{'an' if table is AgentTemplate else 'a'} {_noun(table)}"
