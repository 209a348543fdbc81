"""Takes a database to another revision of its tables: while nobody plays, and with a way back."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from db import schema
from db.database import Database
from db.engine import PATIENCE, get_engine
from db.errors import DatabaseError
from db.leases import T, end_dead, release_all
from db.maintenance.backup import back_up, copy
from db.maintenance.contents import holds_rows, row_counts
from db.transcripts.reading import FIRST_WITH_FILES, refuse_forgetting
from db.urls import shown


@dataclass(frozen=True, slots=True)
class Migrated:
    """From which revision to which the tables went, None for no tables, and the copy of before;
    `backup` is None where there was nothing to copy, or no copy was wanted."""

    before: str | None
    after: str | None
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class MigrationRehearsal:
    """What a migration did to a copy: its revisions, the rows of each table before and after (None
    where the table is not there), the seconds it took, and where the tables differ from what this
    release expects of its own revision."""

    before: str | None
    after: str | None
    rows: Mapping[str, tuple[int | None, int | None]]
    seconds: float
    differences: tuple[str, ...]


def migrate(
    database: Database, revision: str, *, down: bool = False, backup: bool = True
) -> Migrated:
    """Upgrade or, `down`, downgrade the tables to a revision, in one transaction; a file that holds
    rows is copied first, if a `backup` is wanted.

    Raises LeaseHeld while somebody runs a tournament, DatabaseError for a revision that does not
    exist, for rows on a server, of which only a person can make a backup, and for archived games
    whose transcripts the earlier tables could not find.
    """
    before, after = schema.steps(database.engine, revision, down=down)
    if before == after:
        return Migrated(before, after)

    def in_a_session(work: Callable[[Session], T], *, patience: float = PATIENCE) -> T:
        with database.unchecked_session() as session:
            return work(session)

    end_dead(in_a_session)
    if after is not None and after < FIRST_WITH_FILES <= (before or ""):
        # The migration refuses too; here nothing was copied yet.
        with database.unchecked_session() as session:
            refuse_forgetting(session.connection())
    kept = None
    if backup and before is not None and _holds_rows(database):
        if database.url.drivername != "sqlite":
            raise DatabaseError(
                f"{shown(database.url)} holds rows, and its backup is yours to make, where there "
                "is room for it: `arena db backup --to FOLDER`, then type the same command again "
                "with --no-backup"
            )
        kept = back_up(database).file
    _move(database, revision, down=down)
    return Migrated(before, schema.current(database.engine), kept)


def rehearse(database: Database, revision: str, *, down: bool = False) -> MigrationRehearsal:
    """What the migration would do, done to a copy that is then thrown away.

    Raises DatabaseError where no copy can be made, and what the migration itself raises.
    """
    before, _ = schema.steps(database.engine, revision, down=down)
    if before is None:
        raise DatabaseError(
            f"there is no database at {shown(database.url)}, and nothing to rehearse with"
        )
    with _copied(database) as other:
        with other.unchecked_session() as session:
            release_all(session.connection())
        old = _rows(other)
        started = time.perf_counter()
        _move(other, revision, down=down)
        seconds = time.perf_counter() - started
        new, after = _rows(other), schema.current(other.engine)
        wrong = schema.differences(other.engine) if after == schema.HEAD else []
    rows = {name: (old.get(name), new.get(name)) for name in sorted(old | new)}
    return MigrationRehearsal(before, after, rows, seconds, tuple(wrong))


def _move(database: Database, revision: str, *, down: bool) -> None:
    if down:
        schema.downgrade(database.engine, revision)
    else:
        schema.upgrade(database.engine, revision)


@contextmanager
def _copied(database: Database) -> Iterator[Database]:
    if database.url.drivername == "sqlite":
        file = Path(str(database.url.database))
        # Beside it, where a backup would be: there must be room for one.
        with tempfile.TemporaryDirectory(prefix=".rehearsal-", dir=file.parent) as folder:
            target = Path(folder) / file.name
            copy(database, target)
            with Database(target) as other:
                yield other
        return
    with _scratch(database) as url, Database(url) as other:
        yield other


@contextmanager
def _scratch(database: Database) -> Iterator[URL]:
    """A copy on the same server, dropped afterwards."""
    # A server cuts names after 63 bytes.
    name = f"{str(database.url.database)[:30]}_rehearsal_{uuid4().hex[:8]}"
    server = get_engine(database.url.set(database="postgres")).execution_options(
        isolation_level="AUTOCOMMIT"
    )
    quoted = server.dialect.identifier_preparer.quote
    made = f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(str(database.url.database))}"
    # A server copies only what nobody is connected to.
    database.close()
    try:
        try:
            with server.connect() as connection:
                connection.execute(text(made))
        except DBAPIError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise DatabaseError(
                f"{shown(database.url)} cannot be copied on its server ({reason}): restore a dump "
                "of it into a database of its own, and rehearse there, or let a user who may "
                "create databases do it while nobody is connected"
            ) from error
        try:
            yield database.url.set(database=name)
        finally:
            with server.connect() as connection:
                connection.execute(text(f"DROP DATABASE {quoted(name)} WITH (FORCE)"))
    finally:
        server.dispose()


def _holds_rows(database: Database) -> bool:
    with database.unchecked_session() as session:
        return holds_rows(session.connection())


def _rows(database: Database) -> dict[str, int]:
    with database.unchecked_session() as session:
        return row_counts(session.connection())
