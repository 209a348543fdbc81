"""`arena games`: the games of a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.database import reading
from arena.cli.options import AsJson, Database
from arena.cli.output import Column, moment, print_json, print_table, tell

if TYPE_CHECKING:
    from sqlmodel import Session

    from db.queries.games import GameRow


class Status(StrEnum):
    """How far a game is. One that was begun in a tournament that nobody runs is paused."""

    scheduled = "scheduled"
    running = "running"
    paused = "paused"
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
        Status | None,
        typer.Option(metavar="S", help="scheduled, running, paused, completed or void."),
    ] = None,
    parent: Annotated[
        int | None, typer.Option(metavar="GAME", help="Only the branches of this game.")
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

    with reading(db) as session:
        repository = Repository(session)
        if tournament is not None:
            names = (row.name for row in repository.get_tournaments())
            find("tournament", tournament, repository.get_tournament_by_name, names)
        if agent is not None:
            agents = repository.get_agents()
            known = {row.label for row in agents} | {str(row.id) for row in agents}
            find("agent", agent, lambda name: name in known or None, (a.label for a in agents))
        found = list(
            islice(_found(session, tournament, agent, status, parent, limit + 1), limit + 1)
        )
    shown = found[:limit]
    if as_json:
        print_json([asdict(row) | {"status": state} for row, state in shown])
        return
    print_table(
        [
            Column("game", "right"),
            Column("tournament", shrink=True),
            Column("environment", shrink=True),
            Column("status"),
            Column("result", shrink=True),
            Column("branch of", "right"),
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
                state,
                _result(row),
                ""
                if row.parent_game_id is None
                else f"{row.parent_game_id}, turn {row.parent_turn}",
                "" if row.turn_count is None else str(row.turn_count),
                moment(row.finished_at)[5:16] if row.finished_at else "",
                ", ".join(player.agent for player in row.players),
            ]
            for row, state in shown
        ],
    )
    if len(found) > limit:
        tell(f"the latest {limit}; --limit shows more")


def _found(
    session: Session,
    tournament: str | None,
    agent: str | None,
    status: Status | None,
    parent: int | None,
    limit: int,
) -> Iterator[tuple[GameRow, str]]:
    """The games that match all of it, the latest first, each with its status for people."""
    from db.queries.games import games as rows_of
    from db.queries.live import run_now, shown_status

    stored = Status.running if status is Status.paused else status
    # What the query cannot ask is asked of its rows: no limit may cut them before.
    cut = None if stored is Status.running else limit
    rows: Iterable[GameRow]
    if parent is None:
        rows = rows_of(session, tournament=tournament, agent=agent, status=stored, limit=cut)
    else:
        rows = _branches(session, parent, tournament, agent, stored)
    live = run_now(session)
    for row in rows:
        state = shown_status(row, live)
        if status is None or state == status:
            yield row, state


def _branches(
    session: Session,
    parent: int,
    tournament: str | None,
    agent: str | None,
    status: Status | None,
) -> Iterator[GameRow]:
    """The branches of a game that match. Raises UsageError when there is no such game."""
    from sqlmodel import col, select

    from arena.core import UsageError
    from db import Game
    from db.queries.games import game

    if session.get(Game, parent) is None:
        raise UsageError(f"there is no game {parent}; `arena games` lists them")
    numbers = select(Game.id).where(Game.parent_game_id == parent).order_by(col(Game.id).desc())
    for number in session.exec(numbers).all():
        row = game(session, number or 0)
        if (
            row is not None
            and (tournament is None or row.tournament == tournament)
            and (status is None or row.status == status)
            and (agent is None or any(agent in (p.agent, str(p.agent_id)) for p in row.players))
        ):
            yield row


def _result(row: GameRow) -> str:
    if row.status == "void":
        return row.void_cause or "no result"
    if row.status != "completed":
        return ""
    return row.winning_team or "nobody won alone"
