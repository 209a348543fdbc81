"""`arena leaderboard`: agents by rating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from arena.cli.database import reading
from arena.cli.options import (
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    ExcludeErrors,
    Limit,
    RoleOption,
    SinceOption,
    TeamOption,
    TerminationOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import advise, print_json, tell

if TYPE_CHECKING:
    from arena.leaderboard import LeaderboardQuery
    from db import Database

LIMIT = 50


System = Annotated[
    str,
    typer.Option(metavar="S", help="The rating system, by its registered name."),
]


def leaderboard(
    system: System = "probit",
    environment: EnvironmentOption = None,
    tournament: TournamentOption = None,
    role: RoleOption = None,
    team: TeamOption = None,
    termination: TerminationOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    exclude_errors: ExcludeErrors = False,
    by: Annotated[
        Literal["agent", "model", "prompt", "kind"],
        typer.Option(
            metavar="PART",
            help="agent; or model, prompt or kind: what that part adds, in one fit of all.",
        ),
    ] = "agent",
    overall: Annotated[
        bool,
        typer.Option("--overall", help="One fit over all environments, not one for each."),
    ] = False,
    unplayed: Annotated[
        bool,
        typer.Option(
            "--unplayed",
            help="With --by: ratings predicted for combinations that have not played.",
        ),
    ] = False,
    rates: Annotated[
        bool,
        typer.Option(
            "--errors",
            help="How often agents err: shares of their turns, and of the games decided by it.",
        ),
    ] = False,
    wide: Annotated[
        bool,
        typer.Option("--wide", help="All the columns that there is room for; in a pipe there is."),
    ] = False,
    limit: Limit = LIMIT,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Rank agents by rating, by any rating system.

    Each environment has ratings of its own: 25 is the average of the agents that met there, and
    the 95 % interval is that of the difference to it; with --role or --team it is the skill in it
    alone. Errors are invalid actions, silence,
    refusals, overlong answers and turns over the time limit: they count as what they led to, and
    the rating without the games they decided stands beside it."""
    from arena.core import UsageError
    from arena.leaderboard import LeaderboardQuery
    from db.selection import Selection

    if unplayed and by == "agent":
        raise UsageError(
            "--unplayed is about combinations of parts: add --by model, prompt or kind"
        )
    query = LeaderboardQuery(
        Selection(
            tournament=tournament,
            environment=environment,
            role=role,
            team=team,
            termination=termination,
            since=since,
            until=until,
        ),
        system=system,
        exclude_errors=exclude_errors,
        overall=overall,
        by=by,
    )
    _show(query, db, as_json=as_json, rates=rates, wide=wide, limit=limit, unplayed=unplayed)


def show_standings(database: Database, tournament: str) -> None:
    """The final standings of a tournament, on stdout."""
    from arena.leaderboard import LeaderboardQuery
    from db.selection import Selection

    _show(LeaderboardQuery(Selection(tournament=[tournament])), database)


def _show(
    query: LeaderboardQuery,
    db: str | Database | None,
    *,
    as_json: bool = False,
    rates: bool = False,
    wide: bool = False,
    limit: int = LIMIT,
    unplayed: bool = False,
) -> None:
    from arena.cli.leaderboard_table import print_boards
    from arena.leaderboard import boards
    from arena.leaderboard.manual import kept_by_hand
    from arena.leaderboard.rows import flat
    from arena.registry import load
    from db.selection import Selection

    # A wrong name is told before any game is read.
    load("ratings", query.system)
    with reading(db) as session:
        if unplayed:
            from arena.cli.unplayed import show_unplayed

            show_unplayed(session, query, as_json=as_json, limit=limit)
            return
        found = boards(session, query) + kept_by_hand(session, query)
    if not found:
        which = "that no error decided " if query.exclude_errors else ""
        what = " of those asked for" if query.selection != Selection() else ""
        advise(f"no game {which}has been rated yet{what}; `arena games` lists the games")
    if as_json:
        print_json([flat(board, row) for board in found for row in board.rows[:limit]])
        for note in dict.fromkeys(note for board in found for note in board.notes):
            tell(note)
        return
    print_boards(found, rates=rates, wide=wide, limit=limit)
