"""Backups of a database: a copy of one moment, while others may write, with a manifest beside it.

Of a file by SQLite's own backup, of a server by `pg_dump`. A backup has its name only once it is
whole, on disk, and read back. The files of transcripts that archived games need are kept beside it,
each once for all backups of a folder.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, text

from db import schema
from db.backup_files import manifest_path
from db.database import Database
from db.engine import BUSY_TIMEOUT_MS, check_integrity, own_file
from db.errors import Damaged, DatabaseError, MissingDatabase, UnwritablePath, WriteFailed
from db.faults import fault, first_line, thrown_away
from db.maintenance.client import find_client, list_dump, run_client
from db.maintenance.contents import row_counts
from db.maintenance.manifest import (
    Manifest,
    backups_of,
    checksum,
    settle,
    write_manifest,
)
from db.maintenance.transcript_copies import FILES, forget_kept, keeping
from db.search.file_store import index_path
from db.urls import shown
from db.write_ahead import other_log, refuse_other_log


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made, what its manifest says, the older ones that were deleted, and a
    sentence for each file of transcripts that is not in it, because it could not be read."""

    file: Path
    manifest: Manifest
    deleted: tuple[Path, ...] = ()
    lost: tuple[str, ...] = ()


def back_up(database: Database, folder: Path | None = None, *, keep: int | None = None) -> Backup:
    """A backup in a folder, named by the revision of the tables and the time: beside a file, or in
    the current folder for a server, where none is given. With `keep`, only so many backups of this
    database stay there: older ones are deleted, after the new one was verified.

    Raises MissingDatabase, Damaged for a file that is not sound, UnwritablePath or WriteFailed
    where the backup cannot be written, and DatabaseError for a missing or old `pg_dump`: then
    nothing is left of it, and nothing is deleted.
    """
    revision = schema.current(database.engine)
    if revision is None:
        raise MissingDatabase(f"there is no database at {shown(database.url)} to back up")
    sqlite = database.url.drivername == "sqlite"
    source = Path(str(database.url.database))
    folder = folder or (source.parent if sqlite else Path())
    if not folder.is_dir():
        raise UnwritablePath(
            f"there is no folder {folder} for the backup: make it, or give another"
        )
    now = datetime.now(UTC)
    stem, suffix = (source.stem, source.suffix) if sqlite else (source.name, ".dump")
    with (
        _written(folder),
        _begun(folder, f"{stem}-{revision}-{now:%Y%m%dT%H%M%SZ}", suffix) as (target, partial),
    ):
        held = (_copied if sqlite else _dumped)(database, partial)
        with partial.open("rb") as opened:
            os.fsync(opened.fileno())
        with keeping(held.files, database.url, folder) as kept:
            manifest = Manifest(
                name_of(database.url), "sqlite" if sqlite else "postgresql", revision, now,
                partial.stat().st_size, checksum(partial), held.rows, held.schema,
                {file: kept.names.get(file) for file in held.files},
            )  # fmt: skip
            write_manifest(target, manifest)
            try:
                settle(partial, target)
            except BaseException:
                manifest_path(target).unlink(missing_ok=True)
                raise
    deleted = () if keep is None else _deleted(manifest, folder, keep)
    return Backup(target, manifest, deleted, kept.lost)


def name_of(url: URL) -> str:
    """What tells a database from others in a manifest: a file by its whole path."""
    if url.drivername == "sqlite":
        return str(Path(str(url.database)).resolve())
    return shown(url._replace(drivername="postgresql", password=None))


def copy(database: Database, target: Path) -> None:
    """Copy an SQLite file, as it is at one moment, to a path where there is none; the copy needs no
    file beside it."""
    file = Path(str(database.url.database))
    own_file(URL.create("sqlite", database=str(target)))
    try:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as other:
            source.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            source.backup(other)
            other.execute("PRAGMA journal_mode=DELETE")
        # The record of a tournament is its owner's.
        shutil.copymode(file, target)
    except (sqlite3.Error, OSError) as error:
        at = URL.create("sqlite", database=str(target.parent))
        found = fault(at, error) or UnwritablePath(
            f"{shown(database.url)} cannot be copied to {target}: {first_line(error)}"
        )
        raise thrown_away(found) from error


@dataclass(frozen=True, slots=True)
class _Held:
    """What is in a backup: the rows of each table, the schema of a server in which they are, and
    the files of transcripts that they name."""

    rows: dict[str, int]
    schema: str | None
    files: list[str]


def _copied(database: Database, partial: Path) -> _Held:
    """Copy a file, and read the copy: what is damaged in the one is damaged in the other."""
    refuse_other_log(database.url)
    copy(database, partial)
    url = URL.create("sqlite", database=str(partial))
    try:
        check_integrity(url, whatever_its_size=True)
    except Damaged as error:
        said = Damaged(str(error).replace(str(partial), shown(database.url)))
        raise other_log(database.url) or said from error
    with closing(sqlite3.connect(f"{partial.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version' "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        ).fetchall()
        count = 'SELECT count(*) FROM "{}"'
        run = connection.execute
        rows = {name: run(count.format(name)).fetchone()[0] for (name,) in names}
        files = [file for (file,) in run(FILES)] if rows.get("archived_games") else []
    return _Held(rows, None, files)


def _dumped(database: Database, partial: Path) -> _Held:
    """Dump a server's database, and read the dump's table of contents; what is told is of the
    moment of the dump."""
    with database.unchecked_session() as session:
        connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        program, reader = find_client("pg_dump", connection), find_client("pg_restore")
        snapshot, place, quoted = connection.execute(
            text("SELECT pg_export_snapshot(), current_schema(), quote_ident(current_schema())")
        ).one()
        # The index of texts, in a schema of its own, is filled again from the record.
        run_client(
            program,
            database.url,
            [
                "--format=custom", f"--snapshot={snapshot}", f"--schema={quoted}",
                f"--file={partial}",
            ],
        )  # fmt: skip
        rows = row_counts(connection)
        named = connection.execute(text(FILES)).scalars() if rows.get("archived_games") else ()
        files = [*named]
    if (wrong := list_dump(reader, partial)) is not None:
        raise DatabaseError(f"the dump that was written cannot be read: {wrong}")
    return _Held(rows, str(place), files)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """A system's error is said."""
    try:
        yield
    except OSError as error:
        if error.errno == 28:  # no space left
            raise WriteFailed(
                f"the disk that holds {folder} is full: free some space, then type the same "
                "command again; no backup was deleted"
            ) from error
        raise UnwritablePath(f"no backup can be written to {folder}: {error.strerror}") from error


def _deleted(newest: Manifest, folder: Path, keep: int) -> tuple[Path, ...]:
    """Delete all but the newest `keep` backups of a database."""
    gone = [*backups_of(newest.database, folder)][keep:]
    for file, _ in gone:
        file.unlink(missing_ok=True)
        manifest_path(file).unlink(missing_ok=True)
        # Of those who searched it.
        index_path(URL.create("sqlite", database=str(file))).unlink(missing_ok=True)
    forget_kept(folder, [manifest for _, manifest in gone])
    return tuple(file for file, _ in gone)


@contextmanager
def _begun(folder: Path, mark: str, suffix: str) -> Iterator[tuple[Path, Path]]:
    """A name in the folder that is not taken, also by nobody who begins in the same second, and
    the file of which the backup is made; nothing of that one is left."""
    for name in (mark, *(f"{mark}-{number}" for number in range(2, 1000))):
        target = folder / f"{name}{suffix}"
        partial = target.with_name(f".{target.name}.partial")
        try:
            partial.touch(0o600, exist_ok=False)
        except FileExistsError:
            continue
        try:
            if not target.exists() and not manifest_path(target).exists():
                yield target, partial
                return
        finally:
            for left in (partial.name, f"{partial.name}-journal"):
                partial.with_name(left).unlink(missing_ok=True)
    raise UnwritablePath(f"{folder} holds too many copies of one second: remove some")
