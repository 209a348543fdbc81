"""What agents and tournaments are made from: all templates, and each with what was made from it.

Read from the record alone: pages know nothing of how templates are made or copied.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from arena.config.document import written
from arena.viewer.visit import NotThere, Visit
from db import Repository
from db.models import AgentTemplate, TournamentTemplate
from db.repository.templates import TemplateUses

_MOST = 300
"""Templates of a sort in the list."""
_SORTS = ("agent", "tournament")


def templates(visit: Visit) -> Response:
    """Every template, with what was made from it."""
    repo = Repository(visit.session)
    agents, tournaments = repo.get_templates(AgentTemplate), repo.get_templates(TournamentTemplate)
    return visit.draw(
        "templates.html",
        agents=agents[:_MOST],
        tournaments=tournaments[:_MOST],
        total=len(agents) + len(tournaments),
        most=_MOST,
        left=max(len(agents), len(tournaments)) > _MOST,
        agent_uses=repo.get_agent_template_uses(),
        tournament_uses=repo.get_tournament_template_uses(),
    )


def template(visit: Visit) -> Response:
    """A template as its file says it, and what was made from it. Raises NotThere for one that
    there is not."""
    repo = Repository(visit.session)
    sort, name = visit.path["of"], visit.path["name"]
    if sort not in _SORTS:
        raise NotThere(f"there are templates of {' and '.join(_SORTS)}, found {sort!r:.40}")
    row: AgentTemplate | TournamentTemplate | None
    if sort == "agent":
        row, uses = repo.get_template_by_name(AgentTemplate, name), repo.get_agent_template_uses()
    else:
        row = repo.get_template_by_name(TournamentTemplate, name)
        uses = repo.get_tournament_template_uses()
    if row is None:
        raise NotThere(f"there is no {sort} template {name!r:.120}: /templates lists them")
    return visit.draw(
        "template.html", sort=sort, row=row, uses=uses.get(row.id or 0, TemplateUses()),
        text=_said(row),
    )  # fmt: skip


def _said(row: AgentTemplate | TournamentTemplate) -> str:
    said: dict[str, Any] = (
        {"personality": row.personality, "model": row.model, "tools": row.tools}
        if isinstance(row, AgentTemplate)
        else {"config": row.config, "roles": row.roles, "event_flow": row.event_flow["steps"]}
    )
    told = {name: value for name, value in said.items() if value}
    return written(told)


ROUTES = (("/templates", templates), ("/template/{of}/{name:path}", template))
