"""`arena diff`: where two games part, and what became of each."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl, GameNumber
from arena.cli.output import print_json
from arena.cli.sessions import reading


def diff(
    game: GameNumber,
    other: Annotated[
        int, typer.Argument(metavar="OTHER", help="The game to compare with, a branch say.")
    ],
    full: Annotated[
        bool, typer.Option("--full", help="Every turn from there on, and every text whole.")
    ] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Compare two games turn by turn.

    Where they part, what both did from there on, and how both ended. Nothing that a model wrote is
    obeyed."""
    from arena.cli.diff_printer import print_comparison
    from arena.cli.transcript_lines import transcript_console
    from arena.replay.difference import difference
    from db.live import run_now
    from db.queries.games import shown_status

    with reading(db) as session:
        found = difference(session, game, other)
        live = run_now(session)
    first, second = (
        replace(row, status=shown_status(row, live)) for row in (found.first, found.second)
    )
    found = replace(found, first=first, second=second)
    if as_json:
        print_json(asdict(found))
    else:
        print_comparison(transcript_console(), found, full=full)
