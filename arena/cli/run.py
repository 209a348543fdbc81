"""`arena run`: plays a tournament, or resumes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import (
    BudgetOption,
    ConcurrencyOption,
    DatabaseUrl,
    DryRun,
    ExecutorOption,
    GamesOption,
    SetOption,
    typed_settings,
)


def run(
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG",
            help="The tournament's file (YAML), or the name of one that comes with the arena.",
        ),
    ],
    games: GamesOption = None,
    concurrency: ConcurrencyOption = None,
    executor: ExecutorOption = None,
    budget: BudgetOption = None,
    settings: SetOption = None,
    db: DatabaseUrl = None,
    dry_run: DryRun = False,
) -> None:
    """Play a tournament, or resume it.

    The standings go to stdout, everything else to stderr. Ctrl-C lets running games finish their
    turn, a second one stops at once: the same command goes on from there, and nothing that was
    answered is paid for again. Exit code 1 when games are void or something stopped the run early,
    130 when it was interrupted."""
    from arena.cli.run_to_end import Wish, play, show_estimate
    from arena.cli.signals import stoppable
    from arena.cli.tournament_files import read

    # Before the rest is imported: what is wrong with it is told at once.
    tournament = read(config, settings=settings, db=db)
    from db import Database

    with Database(db or None) as database:
        command = ("arena", "run", str(config), *typed_settings(settings))
        wish = Wish(command, database, games, concurrency, budget, db, executor)
        if dry_run:
            show_estimate(tournament, wish)
            return
        with stoppable(f"to go on: {wish.again()}") as interrupts:
            play(tournament, wish, interrupts)
