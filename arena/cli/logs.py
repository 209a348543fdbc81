"""`arena logs`: what runs logged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import LIMIT, AsJson, DatabaseUrl, GameOption, LimitOption, Several
from arena.cli.output import Column, console, moment, print_json, print_table, safe, tell
from arena.cli.sessions import existing, reading

if TYPE_CHECKING:
    from db.queries.execution_logs import LogRow

_EVERY_S = 0.5
_AT_ONCE = 500  # lines that are read together while a run is followed


def logs(
    level: Annotated[
        str | None,
        typer.Option(
            "--level", metavar="L", help="At least this: debug, info, warning, error, critical."
        ),
    ] = None,
    tournament: Annotated[
        Several, typer.Option("--tournament", metavar="T", help="Only runs of this tournament.")
    ] = None,
    game: GameOption = None,
    agent: Annotated[
        Several, typer.Option("--agent", metavar="A", help="Only what this agent did.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="Only lines of then or later: 2026-01-31."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Only lines of before then.")
    ] = None,
    before: Annotated[
        int | None,
        typer.Option("--before", min=1, metavar="LINE", help="Only lines older than this one."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what is logged, until Ctrl-C.")
    ] = False,
    limit: LimitOption = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read what runs logged, the newest last.

    Runs begin and end, turns lapse, calls fail, models are parked, games come to no result, workers
    die: each is a line, with the tournament, the game and the agent that it is about."""
    from arena.core import UsageError
    from db.queries.execution_logs import execution_logs
    from db.selection import Selection

    if follow and (as_json or before is not None or until is not None):
        raise UsageError("--follow goes on with what comes: leave out --json, --before and --until")
    selection = Selection(tournament=tournament, game=game, agent=agent, since=since, until=until)
    with reading(db) as session:
        found = execution_logs(session, selection, level=level, limit=limit + 1, before=before)
    rows = found[:limit][::-1]
    if as_json:
        older = rows[0].log_id if len(found) > limit else None
        print_json({"lines": [asdict(row) for row in rows], "older": older})
        return
    if follow:
        _print_lines(rows)
        _follow(db, selection, level, rows[-1].log_id if rows else 0)
        return
    print_table(
        [
            Column("when", order=2),
            Column("level", order=0),
            Column("tournament", shrink=True, order=3),
            Column("game", "right", order=1),
            Column("agent", shrink=True, order=2),
            Column("what was said", shrink=True, order=0),
        ],
        [
            [
                moment(row.at),
                row.level,
                row.tournament or "",
                "" if row.game_id is None else str(row.game_id),
                row.agent or "",
                " ".join(row.message.split()),
            ]
            for row in rows
        ],
    )
    if not rows:
        tell("no line fits")
    if len(found) > limit:
        tell(f"the latest {limit}; --limit shows more, --before {rows[0].log_id} those before")


def _follow(db: str | None, selection: object, level: str | None, last: int) -> None:
    from db.queries.execution_logs import execution_logs
    from db.selection import Selection

    assert isinstance(selection, Selection)
    with existing(db) as database:
        while True:
            with database.session(create=False) as session:
                rows = execution_logs(session, selection, level=level, limit=_AT_ONCE, after=last)
            _print_lines(rows)
            last = rows[-1].log_id if rows else last
            time.sleep(_EVERY_S)


def _print_lines(rows: Sequence[LogRow]) -> None:
    for row in rows:
        about = [
            *([row.tournament] if row.tournament else []),
            *([f"game {row.game_id}"] if row.game_id is not None else []),
            *([row.agent] if row.agent else []),
        ]
        said = " ".join(row.message.split())
        line = f"{moment(row.at)} {row.level:<7} {', '.join(about)}: {said}"
        console().print(safe(line), soft_wrap=True)
