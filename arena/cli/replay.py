"""`arena replay`: plays the record of a game again, without calling a model."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.options import AsJson, Database
from arena.cli.output import complain, console, count, print_json, safe


def replay(
    game: Annotated[
        int, typer.Argument(metavar="GAME", help="The game's number, as `arena games` shows it.")
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Verify every observation; the only way to replay.")
    ] = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Play a recorded game again, no model called.

    Verifies that the same seed and actions show every player what it saw. Exit code 1 when
    something differs."""
    from dataclasses import asdict

    from arena.cli.database import require
    from arena.core import UsageError
    from arena.replay import check as check_game

    if not check:
        raise UsageError(f"say what to do with the replay: `arena replay {game} --check`")
    report = check_game(game, require(db))
    if as_json:
        print_json(asdict(report))
    elif report.ok:
        turns = count(report.turns, "turn")
        console().print(f"game {game}: {turns} replayed, every observation is the same")
    if not report.ok:
        if not as_json:
            console().print(f"game {game}: the replay differs after {count(report.turns, 'turn')}")
            console().print(safe(report.first_difference or "", keep="\n"))
        complain(f"game {game} does not replay: its record and its rules disagree")
        raise typer.Exit(1)
