"""`arena resume`: resumes a tournament of the database, without its file."""

from __future__ import annotations

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
    TelemetryOption,
    WaitOption,
)


def resume(
    tournament: Annotated[
        str | None,
        typer.Argument(
            metavar="TOURNAMENT", help="Its name; by default the only one that is unfinished."
        ),
    ] = None,
    games: GamesOption = None,
    concurrency: ConcurrencyOption = None,
    executor: ExecutorOption = None,
    ray_address: RayAddressOption = None,
    budget: BudgetOption = None,
    wait: WaitOption = False,
    telemetry: TelemetryOption = False,
    log_json: LogJsonOption = None,
    db: DatabaseUrl = None,
    dry_run: DryRun = False,
) -> None:
    """Go on with a tournament, without its file.

    As `arena run CONFIG` does, with the settings of its last run. Games that were stopped in the
    middle go on from their record: nothing that was answered is paid for again. Exit codes are
    those of `arena run`."""
    from arena.cli.run_to_end import Wish, play
    from arena.cli.sessions import existing
    from arena.orchestrator import restore

    with existing(db) as database:
        config = restore(database, tournament)
        # By its name also where none was typed: the next time there may be two.
        wish = Wish(
            ("arena", "resume", config.name),
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
        play(config, wish, dry_run=dry_run)
