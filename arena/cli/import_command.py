"""`arena import`: a tournament from a file of `arena export --archive`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import complain, console, count, print_json, safe, tell


def import_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="An archive of `arena export --archive`, or a database of mindgames.db.",
        ),
    ],
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Bring a tournament in from a file.

    Every row of an archive as it was; what is computed from them is computed again. Models, prompts
    and agents that are here already are used; a tournament of the same name is never touched. Exit
    code 1 when something cannot be computed again.

    The games of a database of mindgames.db, an arena of Secret Mafia, can be read and searched, and
    not replayed; those that somebody was playing are void."""
    from dataclasses import asdict

    from arena.analysis.archives import import_archive
    from db.archive.mindgames import is_mindgames

    if file.is_file() and is_mindgames(file):
        _read_other(file, db, as_json=as_json)
        return

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


def _read_other(file: Path, db: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from arena.cli.sessions import writing
    from db.archive.mindgames import import_mindgames

    with writing(db) as session:
        done = import_mindgames(session, file)
    if as_json:
        print_json(asdict(done))
        return
    parts = (count(done.games, "game"), count(done.turns, "turn"), count(done.calls, "call"))
    console().print(
        safe(f"{file}: {', '.join(parts)} and {count(done.ratings, 'rating')} read"), soft_wrap=True
    )
    if done.first is not None:
        tell(f"its games have the numbers from {done.first} on")
    if done.unfinished:
        tell(f"{count(done.unfinished, 'game')} had no end there: void here")
