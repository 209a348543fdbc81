"""`arena leaderboard`: agents by rating."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.database import reading
from arena.cli.options import AsJson, Database
from arena.cli.output import advise, print_json, tell

if TYPE_CHECKING:
    from arena.leaderboard import Question


class By(StrEnum):
    """What a row of the leaderboard stands for."""

    agent = "agent"
    model = "model"
    prompt = "prompt"
    kind = "kind"


Environment = Annotated[
    str | None,
    typer.Option(metavar="E", help="Only this environment, over all its tournaments."),
]
Tournament = Annotated[
    str | None, typer.Option(metavar="T", help="Only the games of this tournament.")
]
Since = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Only games that finished then or later: 2026-01-31."),
]
ExcludeErrors = Annotated[
    bool,
    typer.Option("--exclude-errors", help="Without the games that an agent's own error decided."),
]
System = Annotated[
    str,
    typer.Option(metavar="S", help="The rating system, by its registered name."),
]


def leaderboard(
    system: System = "probit",
    environment: Environment = None,
    tournament: Tournament = None,
    role: Annotated[str | None, typer.Option(metavar="R", help="Skill in this role alone.")] = None,
    team: Annotated[str | None, typer.Option(metavar="T", help="Skill on this team alone.")] = None,
    since: Since = None,
    exclude_errors: ExcludeErrors = False,
    by: Annotated[
        By,
        typer.Option(
            metavar="PART",
            help="agent; or model, prompt or kind: what that part adds, in one fit of all.",
        ),
    ] = By.agent,
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
    limit: Annotated[
        int, typer.Option(min=1, metavar="N", help="At most so many rows of a table.")
    ] = 50,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Rank agents by rating, by any rating system.

    Each environment has ratings of its own: 25 is the average of the agents that met there, and
    the 95 % interval is that of the difference to it. Errors are invalid actions, silence,
    refusals, overlong answers and turns over the time limit: they count as what they led to, and
    the rating without the games they decided stands beside it."""
    from arena.core import UsageError
    from arena.leaderboard import Question
    from arena.leaderboard.question import moment

    if unplayed and by is By.agent:
        raise UsageError(
            "--unplayed is about combinations of parts: add --by model, prompt or kind"
        )
    question = Question(
        system=system,
        environment=environment,
        tournament=tournament,
        role=role,
        team=team,
        since=None if since is None else moment(since),
        exclude_errors=exclude_errors,
        overall=overall,
        by=by.value,
    )
    _show(question, db, as_json=as_json, rates=rates, wide=wide, limit=limit, unplayed=unplayed)


def show_standings(url: str, tournament: str) -> None:
    """The final standings of a tournament, on stdout."""
    leaderboard(tournament=tournament, db=url)


def _show(
    question: Question,
    db: str | None,
    *,
    as_json: bool,
    rates: bool,
    wide: bool,
    limit: int,
    unplayed: bool,
) -> None:
    from arena.cli.leaderboard_table import print_boards
    from arena.leaderboard import boards
    from arena.leaderboard.manual import kept_by_hand
    from arena.leaderboard.rows import flat
    from arena.registry import load

    # A wrong name is told before any game is read.
    load("ratings", question.system)
    with reading(db) as session:
        if unplayed:
            from arena.cli.unplayed import show_unplayed

            show_unplayed(session, question, as_json=as_json, limit=limit)
            return
        found = boards(session, question) + kept_by_hand(session, question)
    if not found:
        which = "that no error decided " if question.exclude_errors else ""
        what = " of those asked for" if _narrow(question) else ""
        advise(f"no game {which}has been rated yet{what}; `arena games` lists the games")
    if as_json:
        print_json([flat(board, row) for board in found for row in board.rows[:limit]])
        for note in dict.fromkeys(note for board in found for note in board.notes):
            tell(note)
        return
    print_boards(found, rates=rates, wide=wide, limit=limit)


def _narrow(question: Question) -> bool:
    return any((question.environment, question.tournament, question.since))
