"""`arena games`: the games of a database."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    LIMIT,
    AsJson,
    DatabaseUrl,
    LimitOption,
)
from arena.cli.output import Column, moment, print_json, print_table, tell
from arena.cli.selecting import FIELDS, selecting
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.selection import Selection


@selecting(*FIELDS)
def games(
    selection: Selection,
    before: Annotated[
        int | None,
        typer.Option("--before", min=1, metavar="GAME", help="Only games older than this one."),
    ] = None,
    limit: LimitOption = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List games, the latest first.

    What is asked of an agent, its role, team and result must hold of one and the same seat. An
    option that is given several times means any of its values."""
    from arena.reports.game import result_of
    from db.live import run_now
    from db.queries.games import games as rows_of
    from db.queries.games import shown_status, spent

    with reading(db) as session:
        found = rows_of(session, selection, limit=limit + 1, before=before)
        live = run_now(session)
        taken = spent(session, [row.game_id for row in found[:limit]]) if as_json else {}
    shown = [replace(row, status=shown_status(row, live)) for row in found[:limit]]
    if as_json:
        print_json({"games": [asdict(row) | asdict(taken[row.game_id]) for row in shown]})
        return
    print_table(
        [
            Column("game", "right", order=0),
            Column("tournament", shrink=True, order=3),
            Column("environment", shrink=True, order=3),
            Column("status", order=1),
            Column("result", shrink=True, order=0),
            Column("branch of", "right", order=5),
            Column("turns", "right", order=6),
            Column("finished", order=4),
            Column("players", shrink=True, order=2),
        ],
        [
            [
                str(row.game_id),
                row.tournament or "",
                # A tournament has one environment: it is named once.
                "" if row.tournament else row.environment or "",
                row.status,
                result_of(row),
                ""
                if row.parent_game_id is None
                else f"{row.parent_game_id}, turn {row.parent_turn}",
                "" if row.turn_count is None else str(row.turn_count),
                moment(row.finished_at)[:16] if row.finished_at else "",
                ", ".join(player.agent for player in row.players),
            ]
            for row in shown
        ],
    )
    if len(found) > limit:
        tell(f"the latest {limit}; --limit shows more, --before {shown[-1].game_id} those before")
