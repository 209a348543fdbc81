"""`arena ratings`: ratings are computed from the games, and can be computed again."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import complain, print_json, print_line, safe

app = typer.Typer(
    name="ratings", help="Ratings: a projection of the finished games.", no_args_is_help=True
)


@app.command()
def rebuild(
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare with what is stored, bit for bit; change nothing."),
    ] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Compute every rating again from the games."""
    from dataclasses import asdict

    from arena.cli.sessions import existing
    from arena.leaderboard.rebuild import rebuild as rebuild_ratings

    with existing(db) as database:
        report = rebuild_ratings(database, check=check)
    if as_json:
        print_json(asdict(report) | {"ok": report.ok})
    else:
        print_line(safe(str(report), keep="\n"))
    if report.checked_only and report.differences:
        complain("the stored ratings are not those of the games; run `arena ratings rebuild`")
    if not report.ok:
        raise typer.Exit(1)
