"""`arena db backup`, `restore` and `copy`: copies of a database, and a database of a copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from arena.cli.options import AsJson, DatabaseUrl
from arena.cli.output import advise, count, print_json, print_line, safe, tell

_MOST_NAMED = 5


def backup(
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Where; else beside the file, or here."),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep", min=1, metavar="N", help="Delete all but the newest N of this database there."
        ),
    ] = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Copy a database, also while a run writes.

    A file by SQLite's own backup, a server's by `pg_dump`; with a manifest beside it, and the
    transcripts of archived games. Older ones are deleted only when the new one has been read
    back."""
    from db import Database
    from db.maintenance.backup import back_up

    with Database(db or None) as database:
        made = back_up(database, to, keep=keep)
    manifest = made.manifest
    if as_json:
        print_json(
            {
                "backup": made.file,
                "database": manifest.database,
                "revision": manifest.revision,
                "bytes": manifest.bytes,
                "sha256": manifest.sha256,
                "rows": manifest.rows,
                "deleted": list(made.deleted),
                "lost_transcripts": made.lost,
            }
        )
    else:
        print_line(safe(str(made.file)))
    rows = sum(manifest.rows.values())
    tell(f"{rows:,} rows of revision {manifest.revision}, {manifest.bytes:,} bytes")
    if made.deleted:
        tell(f"deleted {count(len(made.deleted), 'older backup')}")
    _name(made.lost)


def restore(
    file: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="A file that `arena db backup` wrote.")
    ],
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup into an empty database.

    Compared with its checksum first. A file must not be there, or hold no rows; a server's
    database must be there, and hold none. All of it arrives, or nothing."""
    from db import Database, schema
    from db.maintenance.restore import restore as put_back
    from db.urls import shown

    with Database(db or None) as database:
        done = put_back(file, database)
        place = shown(database.url)
    if as_json:
        print_json(
            {
                "database": place,
                "backup": file,
                "revision": done.revision,
                "rows": done.rows,
                "lost_transcripts": done.lost,
            }
        )
    else:
        rows = sum(done.rows.values())
        print_line(safe(f"{place}: {rows:,} rows of revision {done.revision}"))
    if done.revision != schema.HEAD:
        advise(f"this release needs revision {schema.HEAD}: type `arena db upgrade`")
    _name(done.lost)


def copy(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="The database to copy: its URL, or a file.")
    ],
    target: Annotated[
        str, typer.Argument(metavar="DST", help="An empty one, or a file that is not there.")
    ],
    as_json: AsJson = False,
) -> None:
    """Copy a database into one of the other kind.

    From SQLite to PostgreSQL and back, equal row for row, as it is at one moment: a run may go on
    in SRC, and is resumed in DST from there. All of it arrives, or nothing."""
    import time

    from rich.text import Text

    from arena.cli.live_status import Screen
    from db import Database
    from db.maintenance.copying import copy_database
    from db.urls import shown

    with (
        Database(source) as first,
        Database(target) as second,
        Screen(time.monotonic) as screen,
    ):

        def told(done: int, of: int) -> None:
            line = f"{done:,} of {of:,} rows copied"
            screen.show(lambda: line, lambda: Text(line))

        done = copy_database(first, second, told)
        places = {"source": shown(first.url), "database": shown(second.url)}
    if as_json:
        print_json({**places, "rows": done.rows, "lost_transcripts": done.lost})
    else:
        print_line(safe(f"{places['database']}: {sum(done.rows.values()):,} rows"))
    _name(done.lost)


def _name(lost: Sequence[str]) -> None:
    """Say which files of transcripts were not copied: everything else was. Exits with 1."""
    for sentence in lost[:_MOST_NAMED]:
        advise(sentence)
    if len(lost) > _MOST_NAMED:
        advise(f"and {count(len(lost) - _MOST_NAMED, 'more file')} of transcripts like these")
    if lost:
        raise typer.Exit(1)
