"""`arena memory`: what an agent remembers of its earlier games."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import Column, print_json, print_line, print_table, tell
from arena.cli.sessions import reading


def memory(
    agent: Annotated[str, typer.Argument(help="A name or number of `arena agents list`.")],
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """What an agent remembers of earlier games.

    Its key points in each tournament, the heaviest first, as its next game would have them."""
    from arena.game.seating import remembering_kind
    from arena.orchestrator.lookup import find_agent
    from arena.reports.memory import remembered
    from db import Repository

    with reading(db) as session:
        row = find_agent(Repository(session), agent)
        assert row.id is not None
        label, kind = row.label, row.kind.name
        found = remembered(session, row.id, kind)
    if as_json:
        print_json({"agent": label, "memories": [asdict(each) for each in found]})
        return
    if not remembering_kind(kind):
        tell(f"{label} remembers no games: it is of the kind {kind}; `learning` does")
    elif not found:
        tell(f"{label} has finished no game yet")
    columns = [
        Column("key point", shrink=True),
        Column("importance", "right", order=0),
        Column("game", "right", order=1),
        Column("written", "right", order=1),
        Column("shown", "right", order=0),
        Column("last shown", "right", order=1),
        Column("expires", "right", order=2),
    ]
    for each in found:
        print_line(f"{each.tournament}: {len(each.points)} key points from {each.games} games")
        rows = [
            [
                point.text,
                str(point.importance),
                "" if point.game_id is None else str(point.game_id),
                str(point.written),
                str(point.shown),
                "" if point.last_shown is None else str(point.last_shown),
                "" if point.expires is None else str(point.expires),
            ]
            for point in each.points
        ]
        if rows:
            print_table(columns, rows)
