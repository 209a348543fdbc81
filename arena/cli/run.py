"""`arena run`: plays a tournament, or goes on with it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import Database, database_url
from arena.cli.output import advise, count, duration, money, tell

if TYPE_CHECKING:
    from arena.config import TournamentConfig
    from arena.orchestrator import Summary


def run(
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG",
            help="The tournament's file (YAML), or the name of one that comes with the arena.",
        ),
    ],
    games: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Play so many games of the schedule, not all."),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Games at the same time, instead of the file's."),
    ] = None,
    db: Database = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and say what would be played.")
    ] = False,
) -> None:
    """Play a tournament, or go on with it.

    The standings go to stdout, everything else to stderr. Exit code 1 when games are void, 130
    when interrupted: the same command goes on, and plays anew what was running."""
    from arena.config import load
    from arena.config.shipped import find

    tournament = load(find(config))
    url = database_url(db)
    if dry_run:
        from arena.cli.plan import show_plan
        from arena.orchestrator import plan

        show_plan(plan(tournament, url=url), games=games, concurrency=concurrency)
        return
    again = _command(config, games, concurrency, db)
    try:
        summary = _play(tournament, url, games, concurrency)
    except KeyboardInterrupt:
        advise(f"interrupted; to go on: {again}")
        raise typer.Exit(130) from None
    _finish(summary, url, again)


def _play(
    tournament: TournamentConfig, url: str, games: int | None, concurrency: int | None
) -> Summary:
    import asyncio
    import time
    import warnings

    from arena import orchestrator
    from arena.cli.progress import ProgressView

    # Ctrl-C can come between the moment LiteLLM makes a coroutine and the one it awaits it.
    warnings.filterwarnings("ignore", r"coroutine '.*' was never awaited", RuntimeWarning)

    with ProgressView(time.monotonic) as view:
        return asyncio.run(
            orchestrator.run(
                tournament,
                url=url,
                games=games,
                concurrency=concurrency,
                on_progress=view.update,
            )
        )


def _finish(summary: Summary, url: str, again: str) -> None:
    """The standings on stdout, what was done on stderr, and the exit code."""
    from arena.cli.leaderboard import show_standings

    show_standings(url, summary.tournament)
    if summary.turns or summary.games_left or summary.games_void:
        played = count(summary.games_completed, "game")
        tell(
            f"{summary.tournament}: {played}, {count(summary.turns, 'turn')}, "
            f"{count(summary.calls, 'call')}, {money(summary.cost)}, {duration(summary.elapsed)}"
        )
    else:
        tell(f"{summary.tournament}: nothing is left to play, all games are finished")
    if summary.failed_calls:
        tell(f"{count(summary.failed_calls, 'attempt')} of a call failed")
    if summary.games_void:
        name = shlex.quote(summary.tournament)
        causes = ", ".join(f"{cause} {n}x" for cause, n in sorted(summary.void_causes.items()))
        advise(
            f"{count(summary.games_void, 'game')} without a result ({causes}); "
            f"see: arena games --tournament {name} --status void"
        )
    if summary.first_error:
        advise(f"the first error: {summary.first_error}")
    if summary.interrupted:
        advise(f"interrupted; to go on: {again}")
        raise typer.Exit(130)
    if summary.games_left:
        tell(f"{count(summary.games_left, 'game')} left to play")
    if summary.games_void:
        raise typer.Exit(1)


def _command(config: Path, games: int | None, concurrency: int | None, db: str | None) -> str:
    """What to type to go on."""
    parts = ["arena", "run", str(config)]
    for option, value in (("--games", games), ("--concurrency", concurrency), ("--db", db)):
        if value is not None:
            parts += [option, str(value)]
    return shlex.join(parts)
