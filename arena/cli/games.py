"""`arena games`: the games of a database."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.database import reading
from arena.cli.options import AsJson, Database
from arena.cli.output import Column, moment, print_json, print_table, tell

if TYPE_CHECKING:
    from db.queries.games import GameRow


class Status(StrEnum):
    """How far a game is."""

    scheduled = "scheduled"
    running = "running"
    completed = "completed"
    void = "void"


def games(
    tournament: Annotated[
        str | None, typer.Option(metavar="T", help="Only games of this tournament.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option(metavar="A", help="Only games with this agent.")
    ] = None,
    status: Annotated[
        Status | None, typer.Option(metavar="S", help="scheduled, running, completed or void.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="At most so many, the latest first.")
    ] = 50,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """List games, the latest first."""
    from arena.cli.catalogue import find
    from db import Repository
    from db.queries.games import games as rows_of

    with reading(db) as session:
        repository = Repository(session)
        if tournament is not None:
            names = (row.name for row in repository.get_tournaments())
            find("tournament", tournament, repository.get_tournament_by_name, names)
        if agent is not None:
            agents = repository.get_agents()
            known = {row.label for row in agents} | {str(row.id) for row in agents}
            find("agent", agent, lambda name: name in known or None, (a.label for a in agents))
        found = rows_of(session, tournament=tournament, agent=agent, status=status, limit=limit + 1)
    shown = found[:limit]
    if as_json:
        print_json([asdict(row) for row in shown])
        return
    print_table(
        [
            Column("game", "right"),
            Column("tournament", shrink=True),
            Column("environment", shrink=True),
            Column("status"),
            Column("result", shrink=True),
            Column("turns", "right"),
            Column("finished"),
            Column("players", shrink=True),
        ],
        [
            [
                str(row.game_id),
                row.tournament or "",
                # A tournament has one environment: it is named once.
                "" if row.tournament else row.environment or "",
                row.status,
                _result(row),
                "" if row.turn_count is None else str(row.turn_count),
                moment(row.finished_at)[5:16] if row.finished_at else "",
                ", ".join(player.agent for player in row.players),
            ]
            for row in shown
        ],
    )
    if len(found) > limit:
        tell(f"the latest {limit}; --limit shows more")


def _result(row: GameRow) -> str:
    if row.status == "void":
        return row.void_cause or "no result"
    if row.status != "completed":
        return ""
    return row.winning_team or "nobody won alone"
