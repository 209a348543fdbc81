"""Copies of a database: a file beside the file, or what to type for a server."""

from __future__ import annotations

import shlex
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from db.database import Database
from db.engine import BUSY_TIMEOUT_MS, check_integrity, own_file
from db.errors import UnwritablePath
from db.faults import fault, first_line
from db.urls import shown


def back_up(database: Database, revision: str) -> Path:
    """A copy of an SQLite file beside it, named by the revision of its tables and the time. Others
    may write meanwhile: the copy is of one moment.

    Raises Damaged for a file that is not sound, UnwritablePath or WriteFailed where the copy cannot
    be made: then nothing is left of it.
    """
    check_integrity(database.url)
    file = Path(str(database.url.database))
    target = _free(file, f"{revision}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    partial = target.with_name(f"{target.name}.partial")
    try:
        copy(database, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def copy(database: Database, target: Path) -> None:
    """Copy an SQLite file, as it is at one moment, to a path where there is none."""
    file = Path(str(database.url.database))
    own_file(URL.create("sqlite", database=str(target)))
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as other:
            source.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            source.backup(other)
        # The record of a tournament is its owner's.
        shutil.copymode(file, target)
    except (sqlite3.Error, OSError) as error:
        found = fault(database.url, error) or UnwritablePath(
            f"{shown(database.url)} cannot be copied to {target}: {first_line(error)}"
        )
        raise found from error


def dump_command(database: Database, revision: str) -> str:
    """What to type for a copy of a server's database; it asks for the password, if there is one."""
    url = database.url._replace(drivername="postgresql", password=None)
    file = f"{url.database}-{revision}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
    address = shown(url)
    return shlex.join(["pg_dump", "--format=custom", f"--file={file}", address])


def _free(file: Path, mark: str) -> Path:
    """A name beside the file that is not taken."""
    names = (mark, *(f"{mark}-{number}" for number in range(2, 1000)))
    for name in names:
        target = file.with_name(f"{file.stem}-{name}{file.suffix}")
        if not target.exists():
            return target
    raise UnwritablePath(f"{file.parent} holds too many copies of {file.name}: remove some")
