"""Templates as a pandas frame, with what was made from them."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from arena.analysis.columns import INTEGER, OBJECT, STRING, TIME, series
from arena.analysis.frame_query import Columns, Sources, chosen_columns, of_each
from arena.analysis.source import Readable, session_on
from db.models import AgentTemplate, TournamentTemplate
from db.models.columns import aware
from db.repository import Repository
from db.repository.templates import TemplateUses

_COLUMNS = {
    "template_id": INTEGER, "of": STRING, "template": STRING, "description": STRING,
    "content": OBJECT, "uses": INTEGER, "used_by": OBJECT, "created_at": TIME, "updated_at": TIME,
}  # fmt: skip
_SECTIONS = ("personality", "model", "tools", "config", "roles", "event_flow")


def templates_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    of: Literal["agent", "tournament"] | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per template, those of agents first, by name.

    template_id (of its sort), of (agent or tournament), template (its name), description · content
    (a dict: personality, model, tools; or config, roles, event_flow) · uses (how many agents or
    tournaments were made from it), used_by (a list of their names) · created_at, updated_at.

    Raises UsageError for a missing database.
    """
    names = chosen_columns([*_COLUMNS], columns) or [*_COLUMNS]

    def one(each: Readable) -> pd.DataFrame:
        with session_on(each) as session:
            repo = Repository(session)
            rows: list[dict[str, object]] = []
            if of != "tournament":
                used = repo.get_agent_template_uses()
                rows += [_row("agent", row, used) for row in repo.get_templates(AgentTemplate)]
            if of != "agent":
                used = repo.get_tournament_template_uses()
                found = repo.get_templates(TournamentTemplate)
                rows += [_row("tournament", row, used) for row in found]
        rows = rows if limit is None else rows[:limit]
        made = {name: series([row[name] for row in rows], kind) for name, kind in _COLUMNS.items()}
        return pd.DataFrame(made)[names]

    return of_each(source, one, limit)


def _row(
    sort: str, row: AgentTemplate | TournamentTemplate, used: dict[int, TemplateUses]
) -> dict[str, object]:
    uses = used.get(row.id or 0, TemplateUses())
    made = [*uses.agents, *uses.tournaments]
    return {
        "template_id": row.id,
        "of": sort,
        "template": row.name,
        "description": row.description,
        "content": {name: getattr(row, name) for name in _SECTIONS if hasattr(row, name)},
        "uses": len(made),
        "used_by": made,
        "created_at": aware(row.created_at),
        "updated_at": aware(row.updated_at),
    }
