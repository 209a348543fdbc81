"""`arena tournaments`: the tournaments of a database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from arena.cli.catalogue import KnownName
from arena.cli.options import AsJson, DatabaseUrl, EnvironmentOption
from arena.cli.output import Column, count, moment, money, print_fields, print_json, print_table
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.reports.tournament import TournamentReport

app = typer.Typer(help="Tournaments: what was played, and how far.", no_args_is_help=True)


@app.command("list")
def list_(
    environment: EnvironmentOption = None, db: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """List the tournaments, the latest first."""
    from arena.reports.tournament import tournament_report
    from db.live import run_now
    from db.queries.tournaments import tournaments
    from db.selection import Selection

    with reading(db) as session:
        rows = tournaments(session, Selection(environment=environment))
        live = run_now(session)
    reports = [tournament_report(row, live) for row in rows]
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
            Column("void", "right"),
            Column("started"),
        ],
        [
            [
                str(report.id),
                report.name,
                report.environment,
                report.status,
                f"{report.by_status.get('completed', 0):,}",
                f"{report.games:,}",
                f"{report.by_status['void']:,}" if report.by_status.get("void") else "",
                moment(report.started_at)[:16] if report.started_at else "",
            ]
            for report in reports
        ],
    )


@app.command()
def show(name: KnownName, db: DatabaseUrl = None, as_json: AsJson = False) -> None:
    """Show one tournament, and what it has cost."""
    from arena.reports.tournament import tournament_report
    from db.live import run_now
    from db.queries.spending import spending
    from db.queries.tournaments import tournaments
    from db.selection import Selection

    with reading(db) as session:
        (row,) = tournaments(session, Selection(tournament=name))
        report = tournament_report(row, run_now(session), spending(session, row.tournament_id))
    if as_json:
        print_json(asdict(report))
    else:
        print_fields(_fields(report))


def _fields(report: TournamentReport) -> dict[str, Any]:
    """What is printed of a tournament, by name: a line for each model at the end."""
    fields = {key: value for key, value in asdict(report).items() if value is not None}
    del fields["models"]
    fields["agents"] = ", ".join(report.agents)
    fields["by_status"] = _counts(report.by_status)
    fields["void_causes"] = _counts(report.void_causes)
    fields["charged"] = money(report.charged)
    for model in report.models or ():
        fields[model.model] = (
            f"{count(model.calls, 'call')}, {model.failed:,} failed, {money(model.charged)}"
        )
    return fields


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counted.items()))
