"""Puts a backup into an empty database, row for row; nobody holds a lease in it, and the files of
transcripts that its archived games need are beside it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from db import schema
from db.database import Database
from db.errors import Damaged, DatabaseError, SchemaTooNew
from db.leases import release_all
from db.maintenance.client import find_client, run_client
from db.maintenance.contents import row_counts
from db.maintenance.manifest import Manifest, read_manifest
from db.maintenance.targets import arriving, emptied, file_url, refuse_occupied
from db.maintenance.transcript_copies import (
    BroughtTranscripts,
    bringing,
    kept_sources,
    lost_before,
)
from db.urls import shown


@dataclass(frozen=True, slots=True)
class RestoredBackup:
    """A backup that was put into a database: its file, the revision of the tables, the rows of each
    of them, and a sentence for each file of transcripts that is missing."""

    backup: Path
    revision: str
    rows: Mapping[str, int]
    lost: tuple[str, ...] = ()


def restore(backup: Path, target: Database) -> RestoredBackup:
    """Put a backup into a database that holds no rows, or into a file that is not there.

    The backup is compared with its checksum first. Its leases were others': nobody holds them in
    the new database. Raises DatabaseError for what is no backup, for one of the other kind of
    database and for a target that holds rows, SchemaTooNew for one of a later release, and Damaged:
    then the target is as empty as before.
    """
    manifest = read_manifest(backup)
    _refuse_other(backup, manifest, target)
    refuse_occupied(target)
    put = _to_file if manifest.kind == "sqlite" else _to_server
    lost = put(backup, manifest, target)
    return RestoredBackup(backup, manifest.revision, manifest.rows, lost_before(manifest) + lost)


def _refuse_other(backup: Path, manifest: Manifest, target: Database) -> None:
    place = shown(target.url)
    if manifest.revision.isdigit() and int(manifest.revision) > int(schema.HEAD):
        raise SchemaTooNew(
            f"the tables of {backup} are of revision {manifest.revision}, this release knows only "
            f"{schema.HEAD}: upgrade the arena (pip install --upgrade llm-arena)"
        )
    if (manifest.kind == "sqlite") != (target.url.drivername == "sqlite"):
        of, to = ("an SQLite file", "a file") if manifest.kind == "sqlite" else (
            "a PostgreSQL database", "a PostgreSQL database"
        )  # fmt: skip
        raise DatabaseError(
            f"{backup} is a backup of {of}, and {place} is none: restore it to {to}, then type "
            f"`arena db copy` to take it to {place}"
        )


def _to_file(backup: Path, manifest: Manifest, target: Database) -> tuple[str, ...]:
    sources = kept_sources(backup, manifest)
    with bringing(sources, target.url) as brought, arriving(target) as partial:
        shutil.copyfile(backup, partial)
        partial.chmod(0o600)
        manifest.check(partial, of=backup)
        with Database(file_url(partial)) as database:
            _settle(database, brought)
            _compare(backup, manifest, database)
            with database.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return brought.lost


def _to_server(backup: Path, manifest: Manifest, target: Database) -> tuple[str, ...]:
    manifest.check(backup)
    with target.unchecked_session() as session:
        program = find_client("pg_restore", session.connection())
        place = session.connection().execute(text("SELECT current_schema()")).scalar()
    if place != manifest.schema:
        raise DatabaseError(
            f"the tables of {backup} were in the schema {manifest.schema}, and those of "
            f"{shown(target.url)} are looked for in {place}: make that schema there, and give a "
            "URL that names it (?options=-csearch_path%3DNAME)"
        )
    # Tables without rows, of whatever release, are in the way of those of the backup.
    emptied(target)
    run_client(
        program,
        target.url,
        [
            "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges",
            f"--schema={place}", str(backup),
        ],
    )  # fmt: skip
    try:
        with bringing(kept_sources(backup, manifest), target.url) as brought:
            _settle(target, brought)
            _compare(backup, manifest, target)
            with target.unchecked_session() as session:
                session.connection().execute(text("ANALYZE"))
    except BaseException:
        emptied(target)
        raise
    return brought.lost


def _settle(database: Database, brought: BroughtTranscripts) -> None:
    with database.unchecked_session() as session:
        release_all(session.connection())
        brought.write(session.connection())


def _compare(backup: Path, manifest: Manifest, database: Database) -> None:
    """Raises Damaged unless every table has the rows that the manifest counts."""
    with database.unchecked_session() as session:
        found = row_counts(session.connection())
    revision = schema.current(database.engine)
    if revision != manifest.revision:
        raise Damaged(
            f"the backup {backup} is not what its manifest says: its tables are of revision "
            f"{revision}, and were of {manifest.revision}"
        )
    for name in sorted(found.keys() | manifest.rows.keys()):
        if found.get(name) != manifest.rows.get(name):
            raise Damaged(
                f"the backup {backup} is not what its manifest says: {name} has "
                f"{found.get(name, 'no')} rows, and had {manifest.rows.get(name, 'none')}"
            )
