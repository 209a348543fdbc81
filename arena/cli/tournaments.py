"""`arena tournaments`: the tournaments of a database."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.catalogue import KnownName, Yes, confirm_deletion
from arena.cli.options import AsJson, DatabaseUrl, EnvironmentOption
from arena.cli.output import (
    Column,
    advise,
    count,
    moment,
    money,
    print_fields,
    print_json,
    print_table,
    tell,
)
from arena.cli.sessions import reading
from arena.core.text import one_line

if TYPE_CHECKING:
    from arena.reports.tournament import TournamentReport
    from db.queries.audit import StatusMove
    from db.queries.contents import TournamentContents

_RESUMES = 3  # commands that are told below a list
app = typer.Typer(help="Tournaments: what was played, and how far.", no_args_is_help=True)


@app.command("list")
def list_(
    environment: EnvironmentOption = None,
    abandoned_after: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=36500.0,
            metavar="DAYS",
            help="After so many days without a sign a tournament is abandoned.",
        ),
    ] = 30.0,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the tournaments, the latest first."""
    from arena.reports.tournament import tournament_report
    from db.live import run_now
    from db.queries.tournaments import tournaments
    from db.selection import Selection

    with reading(db) as session:
        rows = tournaments(session, Selection(environment=environment))
        live = run_now(session)
    silent = timedelta(days=abandoned_after)
    reports = [_here(tournament_report(row, live, abandoned_after=silent), db) for row in rows]
    if as_json:
        print_json({"tournaments": [asdict(report) for report in reports]})
        return
    print_table(
        [
            Column("#", "right", style="dim"),
            Column("tournament", shrink=True),
            Column("environment", shrink=True, order=9),
            Column("status"),
            Column("played", "right"),
            Column("of", "right"),
            Column("left", "right"),
            Column("void", "right"),
            Column("cost", "right"),
            Column("started"),
        ],
        [
            [
                str(report.id),
                report.name,
                report.environment,
                report.idle or report.status,
                f"{report.by_status.get('completed', 0):,}",
                f"{report.games:,}",
                f"{report.left:,}" if report.left else "",
                f"{report.by_status['void']:,}" if report.by_status.get("void") else "",
                money(report.charged) if report.charged else "",
                moment(report.started_at)[:16] if report.started_at else "",
            ]
            for report in reports
        ],
    )
    if late := [report.name for report in reports if report.charged is None]:
        advise(
            f"what {', '.join(late)} cost is not counted yet: `arena counters rebuild` counts it"
        )
    for report in [report for report in reports if report.resume][:_RESUMES]:
        tell(f"to go on with {report.name}: {report.resume}")


@app.command()
def show(name: KnownName, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show one tournament, and what it has cost."""
    from arena.reports.run_status import telling
    from arena.reports.tournament import tournament_report
    from db.live import run_now
    from db.queries.audit import status_history
    from db.queries.running import told_by_runs
    from db.queries.spending import spending
    from db.queries.tournaments import tournaments
    from db.selection import Selection

    with reading(db) as session:
        (row,) = tournaments(session, Selection(tournament=name))
        spent = spending(session, row.tournament_id)
        report = _here(tournament_report(row, run_now(session), spent), db)
        history = status_history(session, row.tournament_id)
        run = telling(told_by_runs(session, [row.tournament_id]).get(row.tournament_id))
    if as_json:
        told = None if run is None else asdict(run)
        moves = [asdict(move) for move in history]
        print_json(asdict(report) | {"run": told, "history": moves})
        return
    print_fields(_fields(report, history))
    if run is not None and run.status.times.said is not None:
        tell(f"in its last run {run.status.times.said}")
        if run.status.at_once is not None or run.status.times.saturated:
            advise(
                "the process of that run was saturated: its calls waited for it, not for their "
                "providers"
            )


@app.command()
def delete(name: KnownName, yes: Yes = False, db: DatabaseUrl = None) -> None:
    """Delete a tournament and its games.

    Their turns, calls, branches and ratings go along: what goes is counted, and asked for first.
    The ratings of all other games are computed again without these. What the catalogue holds
    (agents, models, prompts) stays. Refused while anything is run in the database."""
    from arena.cli.sessions import existing
    from arena.leaderboard.deletion import delete_tournament, preview

    with existing(db) as database:
        found = preview(database, name)
        confirm_deletion(f"the tournament {found.name}", _contents(found.contents), yes=yes)
        delete_tournament(database, str(found.tournament_id))
    tell(f"deleted the tournament {found.name}")


def _contents(contents: TournamentContents) -> str:
    """What goes along, in words."""
    found = [
        f"{count(contents.games, 'game')} ({contents.finished:,} finished, {contents.rated:,} "
        "rated)",
        count(contents.turns, "turn"),
        count(contents.calls, "call"),
    ]
    if contents.branches:
        found.insert(1, f"{contents.branches:,} branches of them")
    if contents.side_calls:
        found.append(f"{count(contents.side_calls, 'call')} about its games")
    return ", ".join(found)


def _here(report: TournamentReport, db: str | None) -> TournamentReport:
    """The report, whose command resumes in the database that was typed."""
    if report.resume is None or not db:
        return report
    from db.urls import typed

    return replace(report, resume=f"{report.resume} --db {shlex.quote(str(typed(db)))}")


def _fields(report: TournamentReport, history: Sequence[StatusMove]) -> dict[str, Any]:
    """What is printed of a tournament, by name: its statuses, and a line for each model at the
    end."""
    fields = {key: value for key, value in asdict(report).items() if value is not None}
    del fields["models"]
    fields["agents"] = ", ".join(report.agents)
    fields["by_status"] = _counts(report.by_status)
    fields["void_causes"] = _counts(report.void_causes)
    fields["charged"] = money(report.charged)
    fields |= _history(history)
    for model in report.models or ():
        fields[model.model] = (
            f"{count(model.calls, 'call')}, {model.failed:,} failed, {money(model.charged)}"
        )
    return fields


def _history(moves: Sequence[StatusMove]) -> dict[str, str]:
    """The statuses that a tournament had, a line for each."""
    if not moves:
        return {}
    lines = [
        f"{moment(move.at)}  {move.after}, by {move.actor}"
        + (f": {one_line(move.reason, 300)}" if move.reason else "")
        for move in moves
    ]
    return {"history": "\n".join(lines)}


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counted.items()))
