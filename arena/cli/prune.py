"""`arena db prune`: what is old leaves the database, transcripts into files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import count, moment, print_json, print_line, safe, tell
from arena.cli.sessions import existing

if TYPE_CHECKING:
    from db import Database
    from db.maintenance.prune import Prunable
    from db.maintenance.retention import Retention


def prune(
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy",
            metavar="FILE",
            help="How long what is kept; else transcripts 365 days, logs 30.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder",
            metavar="FOLDER",
            help="Where the transcripts go; else FILE.db-transcripts, or NAME-transcripts here.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be taken out.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Bring the transcripts of archived games back.")
    ] = False,
    game: Annotated[
        list[int] | None,
        typer.Option("--game", metavar="GAME", help="With --undo: only of this game."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Archive old transcripts, drop expired rows.

    Transcripts of games that ended long ago go into Parquet files, which are read from there;
    expired cached answers and old logs are removed. Results, ratings, events and the trail stay. It
    says what would go, and asks."""
    from arena.core import UsageError

    if undo and (policy or folder or dry_run):
        raise UsageError("--undo takes --game alone: the files are where they were written")
    if game and not undo:
        raise UsageError("--game goes with --undo; what is archived is chosen by its age")
    with existing(db) as database:
        if undo:
            _bring_back(database, game, as_json=as_json)
        else:
            _prune(database, _policy(policy), folder, dry_run=dry_run, yes=yes, as_json=as_json)


def _policy(path: str | None) -> Retention:
    from arena.config.retention import RetentionConfig, load_retention
    from db.maintenance.retention import Retention

    said = RetentionConfig() if path is None else load_retention(path)
    return Retention(
        transcripts=None if said.transcripts == "never" else said.transcripts,
        answers=said.answers if isinstance(said.answers, float) else None,
        by_ttl=said.answers == "ttl",
        logs=None if said.logs == "never" else said.logs,
    )


def _prune(
    database: Database,
    policy: Retention,
    folder: Path | None,
    *,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    from dataclasses import asdict
    from datetime import UTC, datetime

    from db.maintenance.prune import prunable
    from db.maintenance.prune import prune as take_out
    from db.transcripts.files import arrow
    from db.urls import shown

    now = datetime.now(UTC)
    place = shown(database.url)
    with database.session(create=False) as session:
        found = prunable(session, policy, now)
    if found.games:
        arrow()
    _say(found)
    done = None
    if found.anything and not dry_run:
        _confirm(place, yes=yes)
        done = take_out(database, policy, now, folder=folder)
        if done.games:
            tell(
                f"archived {count(done.games, 'game')} in {', '.join(map(str, done.files))}; "
                "`arena db vacuum` gives the room back"
            )
        if done.answers or done.lines:
            tell(f"removed {_expired(done.answers, done.lines)}")
    if as_json:
        print_json(
            {
                "database": place,
                "found": asdict(found),
                "archived": None if done is None else {**asdict(done), "files": done.files},
            }
        )


def _say(found: Prunable) -> None:
    if found.games:
        tell(
            f"{count(found.games, 'game')} that ended from {moment(found.oldest)} to "
            f"{moment(found.newest)}: {count(found.rows, 'row')} with {found.bytes:,} bytes of "
            "text would go into files"
        )
    if found.answers or found.lines:
        tell(f"{_expired(found.answers, found.lines)} would be removed")
    if found.busy:
        tell(f"{count(found.busy, 'game')} as old stay: branches of them are being played")
    if not found.anything:
        tell("nothing is as old as the policy says")


def _expired(answers: int, lines: int) -> str:
    parts = [count(answers, "cached answer")] if answers else []
    parts += [count(lines, "line") + " of logs"] if lines else []
    return " and ".join(parts)


def _confirm(place: str, *, yes: bool) -> None:
    import sys

    from arena.core import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: add --yes to do it, or --dry-run to look")
    typer.confirm(f"Take it out of {place}?", abort=True, err=True)


def _bring_back(database: Database, games: list[int] | None, *, as_json: bool) -> None:
    from db.maintenance.prune import bring_back
    from db.urls import shown

    back = bring_back(database, games)
    if as_json:
        print_json({"database": shown(database.url), "brought_back": back})
    else:
        print_line(safe(f"brought back the transcripts of {count(back, 'game')}; the files stay"))
