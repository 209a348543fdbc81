"""What agents and tournaments are made from: all templates, and each with what was made from it."""

from __future__ import annotations

from starlette.responses import Response

from arena.templates import TemplateManager
from arena.templates.files import SORTS, to_yaml
from arena.viewer.visit import NotThere, Visit
from db.repository.templates import TemplateUses

_MOST = 300
"""Templates of a sort in the list."""


def templates(visit: Visit) -> Response:
    """Every template, with what was made from it."""
    manager = TemplateManager(visit.session)
    agents, tournaments = manager.list_agent_templates(), manager.list_tournament_templates()
    return visit.draw(
        "templates.html",
        agents=agents[:_MOST],
        tournaments=tournaments[:_MOST],
        total=len(agents) + len(tournaments),
        most=_MOST,
        left=max(len(agents), len(tournaments)) > _MOST,
        agent_uses=manager.agent_template_uses(),
        tournament_uses=manager.tournament_template_uses(),
        none=TemplateUses(),
    )


def template(visit: Visit) -> Response:
    """A template as its file, and what was made from it. Raises NotThere for one that there is
    not."""
    manager = TemplateManager(visit.session)
    sort, name = visit.path["of"], visit.path["name"]
    if sort not in SORTS:
        raise NotThere(f"there are templates of {' and '.join(SORTS)}, found {sort!r:.40}")
    of_agent = sort == "agent"
    row = manager.get_agent_template(name) if of_agent else manager.get_tournament_template(name)
    if row is None:
        raise NotThere(f"there is no {sort} template {name!r:.120}: /templates lists them")
    uses = manager.agent_template_uses() if of_agent else manager.tournament_template_uses()
    return visit.draw(
        "template.html", sort=sort, row=row, uses=uses.get(row.id, TemplateUses()),
        text=to_yaml(row),
    )  # fmt: skip


ROUTES = (("/templates", templates), ("/template/{of}/{name:path}", template))
