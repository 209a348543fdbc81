"""`arena audit`: the trail of what was changed, by whom and when."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.options import LIMIT, AsJson, DatabaseUrl, LimitOption
from arena.cli.sessions import reading


def audit(
    entity: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Only this table: agents, prompts, tournaments, ..."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only what is, or was, called this."),
    ] = None,
    actor: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what this person changed.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Only what was changed then or later: 2026-01-31."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what was changed before then.")
    ] = None,
    limit: LimitOption = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List what was changed, by whom and when.

    The newest first: the catalogue, templates, tournaments and annotations, each with what it was
    before. Nothing removes an entry but `arena db forget`."""
    from dataclasses import asdict

    from arena.cli.output import Column, moment, print_json, print_table, tell
    from arena.reports.audit import said
    from db.queries.audit import audit_rows

    with reading(db) as session:
        rows = audit_rows(
            session,
            entity=entity,
            name=name,
            actor=actor,
            since=since,
            until=until,
            limit=limit + 1,
        )
    shown = rows[:limit]
    if as_json:
        print_json({"entries": [asdict(row) for row in shown]})
        return
    print_table(
        [
            Column("#", "right", style="dim", order=9),
            Column("on", order=1),
            Column("by", shrink=True, order=2),
            Column("action", order=0),
            Column("of", order=0),
            Column("name", shrink=True, order=0),
            Column("change", shrink=True, order=3, least=16),
        ],
        [
            [
                str(row.id),
                moment(row.at)[:16],
                row.actor,
                row.action,
                row.entity,
                row.entity_name,
                said(row),
            ]
            for row in shown
        ],
    )
    if len(rows) > limit:
        tell(f"the newest {limit}: --limit shows more")
