"""`arena import`: a tournament from a file of `arena export --archive`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import complain, console, count, print_json, safe, tell


def import_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An archive of `arena export --archive`.")
    ],
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Restore an archived tournament here.

    Every row as it was; what is computed from them is computed again. Models, prompts and agents
    that are here already are used; a tournament of the same name is never touched. Exit code 1 when
    something cannot be computed again."""
    from dataclasses import asdict

    from arena.analysis.archives import import_archive

    done = import_archive(file, db or None)
    restored = done.restored
    if as_json:
        print_json(asdict(done))
    else:
        console().print(
            safe(
                f"{restored.tournament}: {count(restored.games, 'game')}, "
                f"{count(restored.turns, 'turn')} and {count(restored.calls, 'call')} restored"
            ),
            soft_wrap=True,
        )
        if restored.moved:
            tell(f"the numbers of its games are {restored.moved} higher here than they were")
    for line in (*done.ratings, *done.events):
        complain(line)
    if done.ratings or done.events:
        raise typer.Exit(1)
