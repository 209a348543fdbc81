"""The empty place that a whole database is put into: all of it arrives, or nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, text

from db import schema
from db.database import Database
from db.engine import check_path
from db.errors import DatabaseError, UnwritablePath, WriteFailed
from db.faults import thrown_away
from db.maintenance.contents import holds_rows
from db.maintenance.manifest import settle
from db.urls import shown

# What SQLite keeps beside a file, and would take for a part of the new one.
_BESIDE = ("-wal", "-shm", "-journal")


def refuse_occupied(target: Database) -> None:
    """Raises DatabaseError for a database that holds rows, or tables that are not the arena's, and
    for a file that is open or beside which another's log was left."""
    check_path(target.url)
    if schema.current(target.engine) is not None:
        with target.unchecked_session() as session:
            occupied = holds_rows(session.connection())
        if occupied:
            raise DatabaseError(
                f"{shown(target.url)} holds rows, and nothing of them is overwritten: give an "
                "empty database, or the path of a file that is not there"
            )
    target.close()
    if target.url.drivername == "sqlite":
        _refuse_logs(Path(str(target.url.database)))


def _refuse_logs(file: Path) -> None:
    for beside in _BESIDE:
        left = file.with_name(f"{file.name}{beside}")
        if left.exists():
            raise DatabaseError(
                f"{left} is there, a part of another database of this name: end whoever has it "
                "open, or move it away, then type the same command again"
            )


@contextmanager
def arriving(target: Database) -> Iterator[Path]:
    """A path for a new file, which takes the place of an empty `target` when the block ends: with
    everything in it on disk. Nothing of it is left when the block raises.

    Raises UnwritablePath and WriteFailed.
    """
    # Through a link, to where it leads: the link stays.
    named = Path(str(target.url.database))
    file = Path(os.path.realpath(named)) if named.is_symlink() else named
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        yield partial
        refuse_occupied(target)
        settle(partial, file)
    except DatabaseError as error:
        said = type(error)(str(error).replace(str(partial), str(file)))
        raise (thrown_away(said) if str(file) in str(said) else said) from error
    except OSError as error:
        if error.errno == 28:  # no space left
            raise WriteFailed(
                f"the disk that holds {file.parent} is full: free some space, then type the same "
                "command again; nothing was left there"
            ) from error
        raise UnwritablePath(f"{file} cannot be written: {error.strerror}") from error
    finally:
        for beside in ("", *_BESIDE):
            partial.with_name(f"{partial.name}{beside}").unlink(missing_ok=True)


def emptied(target: Database) -> None:
    """Drop every table of a database, of whatever release of the arena."""
    if schema.current(target.engine) is not None:
        schema.drop_schema(target.engine)
    with target.unchecked_session() as session:
        session.connection().execute(text("DROP TABLE IF EXISTS alembic_version"))
    target.close()


def file_url(path: Path) -> URL:
    """The URL of an SQLite file."""
    return URL.create("sqlite", database=str(path))
