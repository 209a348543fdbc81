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
    LogJsonOption,
    RayAddressOption,
    SetOption,
    TelemetryOption,
    WaitOption,
    typed_settings,
)


def run(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="The tournament's file (YAML), or the name of one that comes with the arena.",
            show_default=False,
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Instead of a file: the tournament template to make it from. It is called like "
            "that; --set name=NAME calls it otherwise.",
        ),
    ] = None,
    games: GamesOption = None,
    concurrency: ConcurrencyOption = None,
    executor: ExecutorOption = None,
    ray_address: RayAddressOption = None,
    budget: BudgetOption = None,
    settings: SetOption = None,
    wait: WaitOption = False,
    telemetry: TelemetryOption = False,
    log_json: LogJsonOption = None,
    db: DatabaseUrl = None,
    dry_run: DryRun = False,
) -> None:
    """Play a tournament, or resume it.

    The standings go to stdout, everything else to stderr. Ctrl-C lets running games finish their
    turn, a second one stops at once: the same command goes on from there, and nothing that was
    answered is paid for again. Exit code 1 when games are void or something stopped the run early,
    130 when it was interrupted."""
    from arena.cli.run_to_end import Wish, play
    from arena.cli.tournament_files import from_template, read
    from arena.core import UsageError

    # Before the rest is imported: what is wrong with it is told at once.
    if config is not None and template is None:
        tournament = read(config, settings=settings, db=db)
        what = [str(config)]
    elif template is not None and config is None:
        tournament = from_template(template, settings=settings, db=db)
        what = ["--template", template]
    else:
        raise UsageError("expected either a tournament's file or --template NAME")
    from db import Database

    with Database(db or None) as database:
        command = ("arena", "run", *what, *typed_settings(settings))
        wish = Wish(
            command,
            database,
            games,
            concurrency,
            budget,
            db,
            executor,
            wait,
            telemetry=telemetry,
            log_json=log_json,
            ray_address=ray_address,
        )
        play(tournament, wish, dry_run=dry_run)
