"""`arena calls`: the calls that failed, and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import (
    LIMIT,
    AsJson,
    DatabaseUrl,
    LimitOption,
)
from arena.cli.output import Column, moment, print_json, print_table, tell
from arena.cli.selecting import OF_CALLS, selecting
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.selection import Selection

_SAID = 200  # characters of a message in a table


@selecting(*OF_CALLS)
def calls(
    failed: Annotated[
        list[str] | None,
        typer.Option(
            "--failed", metavar="ERROR", help="Only those that failed by this error: Timeout, ..."
        ),
    ] = None,
    *,
    selection: Selection,
    before: Annotated[
        int | None,
        typer.Option("--before", min=1, metavar="CALL", help="Only calls older than this one."),
    ] = None,
    limit: LimitOption = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List calls that failed, the latest first.

    Each with its error and what came of it. `arena show GAME --calls` shows what was sent and what
    came back, and so does the page of the turn in `arena view`."""
    from arena.reports.calls import failure_of
    from db.queries.failed_calls import failed_calls

    with reading(db) as session:
        found = failed_calls(session, selection, failed=failed or (), limit=limit, before=before)
    told = [(row, *failure_of(row.error_class, row.error_status, row.error_message))
            for row in found.rows]  # fmt: skip
    if as_json:
        print_json(
            {
                "calls": [
                    asdict(row)
                    | {"failure": failure, "advice": advice}
                    | {"command": f"arena show {row.game_id} --calls"}
                    for row, failure, advice in told
                ],
                "older": found.older,
            }
        )
        return
    print_table(
        [
            Column("game", "right", order=0),
            Column("turn", "right", order=0),
            Column("agent", shrink=True, order=1),
            Column("model", shrink=True, order=3),
            Column("error", order=0),
            Column("what was said", shrink=True, order=1),
            Column("then", order=2),
            Column("sent", order=4),
        ],
        [
            [
                str(row.game_id),
                str(row.turn_number),
                row.agent or "",
                row.model,
                f"{row.error_class} {row.error_status or ''}".strip(),
                (row.error_message or "").replace("\n", " ")[:_SAID],
                "answered" if row.answered else f"{row.later} more failed" if row.later else "",
                moment(row.request_sent_at),
            ]
            for row, _, _ in told
        ],
    )
    if not told:
        tell("no failed call fits")
    if found.older is not None:
        tell(f"there are more: --before {found.older} shows older ones")
