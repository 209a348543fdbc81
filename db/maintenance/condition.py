"""How a database is, without changing anything in it: reachable, writable, of which revision, by
whose clock, over which connection."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import SQLAlchemyError

from db.database import Database
from db.engine import said_plainly
from db.faults import fault
from db.models.columns import aware
from db.schema import current

_NEWEST = text("SELECT MAX(created_at) FROM tournaments")
_LOCK_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection to a server: its `version`, who is logged in, how far its clock is `ahead` of
    this machine's, whether it is encrypted, and the `sslmode` that was asked for."""

    version: str
    user: str
    ahead: timedelta
    encrypted: bool
    sslmode: str
    remote: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A database as it is now. `revision` is None where there are no tables; `read_only` says why
    nothing can be written, None where it can; `newest` is when the newest tournament was entered;
    `free` bytes are left on the disk of a file, and one that is `new` is not there yet; `server` is
    of a server alone."""

    revision: str | None
    read_only: str | None
    newest: datetime | None = None
    free: int | None = None
    server: Connected | None = None
    new: bool = False


def condition(database: Database) -> Condition:
    """Look at a database. Raises DatabaseError where it cannot be reached or read."""
    if database.url.drivername == "sqlite":
        return _of_file(database)
    engine = database.engine
    revision = current(engine)
    with said_plainly(engine.url), engine.connect() as connection:
        server = _connected(connection, engine.url)
        return Condition(
            revision,
            _refused_by_server(connection, tables=revision is not None),
            _newest(connection) if revision is not None else None,
            server=server,
        )


def disk_of(url: URL) -> int | None:
    """The free bytes on the disk that holds a file, or will; None for a server."""
    if url.drivername != "sqlite":
        return None
    folder = Path(str(url.database)).absolute().parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def _of_file(database: Database) -> Condition:
    path, free = Path(str(database.url.database)), disk_of(database.url)
    if not path.exists():
        writable = os.access(path.absolute().parent, os.W_OK)
        why = None if writable else f"the folder {path.absolute().parent} cannot be written"
        return Condition(None, why, free=free, new=True)
    engine = database.engine
    revision = current(engine)
    newest = None
    if revision is not None:
        with said_plainly(engine.url), engine.connect() as connection:
            newest = _newest(connection)
    return Condition(revision, _refused_by_file(database.url, path), newest, free)


def _refused_by_file(url: URL, path: Path) -> str | None:
    for place in (path, path.absolute().parent):
        if not os.access(place, os.W_OK):
            return f"{place} may not be written by this user"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as file:
            file.execute(f"PRAGMA busy_timeout={_LOCK_WAIT_S * 1e3:.0f}")
            file.execute("BEGIN IMMEDIATE")
            file.execute("ROLLBACK")
    except sqlite3.Error as error:
        return str(fault(url, error) or error)
    return None


def _refused_by_server(connection: Connection, *, tables: bool) -> str | None:
    standby = connection.execute(text("SELECT pg_is_in_recovery()")).scalar()
    if standby:
        return "the server is a standby, which is only read"
    if connection.execute(text("SHOW transaction_read_only")).scalar() == "on":
        return "the server lets this user read alone"
    what = (
        "has_table_privilege('games', 'INSERT')"
        if tables
        else ("has_schema_privilege(current_schema(), 'CREATE')")
    )
    allowed = connection.execute(text(f"SELECT {what}")).scalar()
    return None if allowed else "this user has no right to write"


def _connected(connection: Connection, url: URL) -> Connected:
    before = datetime.now(UTC)
    row = connection.execute(
        text("SELECT clock_timestamp(), current_setting('server_version'), current_user")
    ).one()
    after = datetime.now(UTC)
    driver = cast(Any, connection.connection.driver_connection)
    parameters = driver.info.get_parameters()
    host = str(driver.info.host or "")
    return Connected(
        version=str(row[1]),
        user=str(row[2]),
        ahead=aware(row[0]) - (before + (after - before) / 2),
        encrypted=bool(driver.pgconn.ssl_in_use),
        sslmode=str(parameters.get("sslmode", "prefer")),
        remote=not (host.startswith("/") or host in ("localhost", "127.0.0.1", "::1", "")),
    )


def _newest(connection: Connection) -> datetime | None:
    try:
        found = connection.execute(_NEWEST).scalar()
    except SQLAlchemyError:
        # Of a revision that has no such table.
        return None
    if isinstance(found, str):
        found = datetime.fromisoformat(found)
    return None if found is None else aware(found)
