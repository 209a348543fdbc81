"""Opens a database by path or URL, with the settings that its promises rest on."""

from __future__ import annotations

import logging
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, event, text
from sqlalchemy import create_engine as create
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from db.backup_files import is_backup
from db.errors import BadSelection, Damaged, DatabaseError, FileGone, UnwritablePath
from db.faults import damaged, fault, first_line
from db.strange_files import (
    definitions_of,
    refuse_no_file,
    refuse_strange,
    strange_values,
)
from db.urls import resolve_url, shown, without_secrets
from db.write_ahead import other_log, refuse_other_log

# Between the statements of one of our transactions lie milliseconds.
FROZEN_AFTER_S = 5

BUSY_TIMEOUT_MS = 30_000
# How long a server that went away is waited for, in seconds: a restart takes up to half a minute.
PATIENCE = 90.0
LONGEST_PAUSE = 2.0
# What a program may do with a value that is not of its column's type.
_FAILED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
# Larger files take seconds to read.
LARGEST_CHECKED = 2 * 2**30


def check_path(url: URL) -> None:
    """Raises UnwritablePath for a file that cannot be opened or made."""
    if url.drivername != "sqlite":
        return
    path = Path(str(url.database))
    if path.is_dir():
        raise UnwritablePath(f"{path} is a folder: expected the path of a database file")
    refuse_no_file(path)
    if not path.parent.is_dir():
        raise UnwritablePath(
            f"{path} cannot be made: there is no folder {path.parent}; make it, or give "
            "another path"
        )
    if path.exists():
        if not os.access(path, os.R_OK):
            raise UnwritablePath(f"{path} cannot be read: give another path, or change its mode")
    elif not os.access(path.parent, os.W_OK):
        raise UnwritablePath(
            f"{path} cannot be made: the folder {path.parent} is not writable; give another path"
        )


def own_file(url: URL) -> None:
    """Make the file of a database that is not there yet, or holds nothing, its owner's alone;
    SQLite gives the files that it makes beside it the same mode. What cannot be made is said when
    it is opened."""
    path = Path(str(url.database))
    with suppress(OSError):
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        elif path.is_file() and not path.stat().st_size:
            path.chmod(0o600)


def place_of(url: URL) -> tuple[int, int]:
    """What tells this file from another that has its name later, as long as somebody keeps it open;
    (-1, -1) for one that is not there."""
    if url.drivername != "sqlite":
        return (0, 0)
    try:
        found = Path(str(url.database)).stat()
    except OSError:
        return (-1, -1)
    return (found.st_dev, found.st_ino)


def check_place(url: URL, opened: tuple[int, int] | None) -> None:
    """Raises FileGone unless the file is still the one that was `opened` (`place_of`)."""
    if place_of(url) != opened:
        raise FileGone(
            f"the file {shown(url)} was opened and is now gone or another one: put it back, or "
            "type the same command again to use what is there now"
        )


def set_pragmas(connection: sqlite3.Connection) -> None:
    """What every connection to SQLite is told: rows are on disk when a commit returns."""
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        # Reading from a file that may not be written is allowed.
        if "readonly" not in str(error):
            raise
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of the driver says what nobody else does: an error that it ignores while
    another is raised is of that one's making."""
    return not str(record.msg).startswith("error ignored")


def get_engine(
    db_path: str | Path | URL | None = None, *, pooled: bool = True, read_only: bool = False
) -> Engine:
    """An engine for a path or URL, to be disposed of by the caller; one that is not `pooled` closes
    its connections by itself, and one that is `read_only` has none that can write.

    Raises UnknownURL, UnwritablePath, or DatabaseError for a missing driver. Connects to nothing
    and checks no schema (`db.schema.check_schema` does).
    """
    url = resolve_url(db_path)
    check_path(url)
    # A server may have been restarted since a connection was used last. Threads are as many as
    # their pool lets in: none of them waits for another's connection.
    pool: dict[str, Any] = {"max_overflow": -1} if pooled else {"poolclass": NullPool}
    engine = create(url, pool_pre_ping=url.drivername != "sqlite", **pool)
    if engine.dialect.name == "postgresql":
        logging.getLogger("psycopg").addFilter(_is_news)

        @event.listens_for(engine, "connect")
        def _on_connected(connection: Any, _record: Any) -> None:
            pooled = is_pooled(connection)
            if pooled:
                connection.prepare_threshold = None
            if read_only:
                connection.read_only = True
                if not pooled:
                    connection.execute("SET default_transaction_read_only = on")
                    connection.commit()

    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "do_connect")
        def _on_do_connect(_dialect: Any, _record: Any, arguments: Any, named: Any) -> None:
            if read_only or is_backup(Path(str(url.database))):
                # What the system opens to be read is not written by any statement, nor locked.
                arguments[0] = f"{Path(str(url.database)).absolute().as_uri()}?mode=ro"
                named["uri"] = True
            else:
                own_file(url)

        @event.listens_for(engine, "connect")
        def _on_connect(connection: Any, _record: Any) -> None:
            set_pragmas(connection)
            if read_only:
                connection.set_authorizer(allow_reading)

        @event.listens_for(engine, "savepoint")
        def _on_savepoint(connection: Connection, _name: str | None) -> None:
            begin_writing(connection)

    return engine


_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)
_ACTING = frozenset({"load_extension", "fts3_tokenizer"})
_TOLD_BY_PRAGMA = frozenset({"data_version", "table_info", "table_xinfo", "index_list"})


def allow_reading(
    action: int, first: str | None, second: str | None, _database: str | None, _by: str | None
) -> int:
    """An SQLite authorizer: what reads is allowed, and nothing else is compiled at all, not even a
    pragma that would set something."""
    if action == sqlite3.SQLITE_PRAGMA:
        allowed = first in _TOLD_BY_PRAGMA
    elif action == sqlite3.SQLITE_FUNCTION:
        allowed = str(second).lower() not in _ACTING
    else:
        allowed = action in _READING
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def begin_writing(connection: Connection) -> None:
    """Begin the transaction on SQLite, unless it is begun, and wait for other writers here.

    Python's driver begins by itself, but before an INSERT, UPDATE or DELETE only: a savepoint that
    comes first would be the transaction, and releasing it the commit.
    """
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def waiting_at_most(session: Session, seconds: float) -> Iterator[None]:
    """A block in which the session's connection waits at most so long for what others have
    locked; what SQLite is told holds until the block ends, a server until the transaction does."""
    connection = session.connection()
    wanted = max(1, round(1000 * seconds))
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"SET LOCAL lock_timeout = {wanted}"))
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute(f"PRAGMA busy_timeout={wanted}")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def connect_server(url: URL) -> Any:
    """A psycopg connection to a server as an engine opens it, and with what a writer wants of it.
    Raises psycopg.Error.

    A server that is there answers at once; one that vanished is noticed within seconds. Of a
    process that is frozen in mid-transaction the server lets go, else nobody could take over what
    it has locked. Both are said after connecting, where no pooler refuses them.
    """
    import psycopg

    _, keywords = url.get_dialect()().create_connect_args(url)
    # The second while something is on its way there, the others while an answer is waited for.
    patience = {
        "connect_timeout": 10,
        "tcp_user_timeout": 20_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
    }
    connection = psycopg.connect(**{**patience, **keywords}, prepare_threshold=1)
    try:
        if is_pooled(connection):
            connection.prepare_threshold = None
        else:
            connection.execute(f"SET idle_in_transaction_session_timeout = '{FROZEN_AFTER_S}s'")
            connection.commit()
    except psycopg.Error:
        connection.close()
        raise
    return connection


def is_pooled(connection: Any) -> bool:
    """Whether a pooler (pgbouncer) stands between: what it calls its process is none of the
    server's. Its transactions may run in several sessions, where nothing is prepared or set."""
    process = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    connection.rollback()
    return bool(process != connection.info.backend_pid)


@contextmanager
def said_plainly(url: URL) -> Iterator[None]:
    """Turns what a driver says about reaching or writing a database into a DatabaseError."""
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error, OperationalError):
            found = None if error.orig is None else fault(url, error.orig)
            if found is None and error.statement is None and url.drivername != "sqlite":
                found = _not_opened(url, error)
            if found is None:
                raise
            raise found from error
        # After a full disk SQLite has rolled back by itself, and says at last that there is no
        # savepoint: what failed first is the reason.
        at: BaseException | None = error
        while at is not None:
            if (found := fault(url, at)) is not None:
                raise found from error
            at = at.__context__
        raise _not_opened(url, error) from error
    except _FAILED as error:
        if isinstance(error, OverflowError) and "SQLite INTEGER" in str(error):
            raise BadSelection(
                "a number is asked for that is larger than any on record: up to "
                f"{2**63 - 1:,} can be"
            ) from error
        if _while_reading(error):
            raise damaged(url, f"a value cannot be read: {first_line(error)[:100]}") from error
        if (strange := _strange_value(url)) is not None:
            raise damaged(url, strange) from error
        raise


def damage_in(db_path: str | Path | URL | None, error: BaseException) -> Damaged | None:
    """Why a program may have failed that showed what it had read from a file: what is there is of
    no use to any; None where nothing is found."""
    if not isinstance(error, _FAILED):
        return None
    try:
        url = resolve_url(db_path)
        strange = _strange_value(url)
    except Damaged as damage:
        return damage
    except DatabaseError:
        return None
    return None if strange is None else damaged(url, strange)


def _strange_value(url: URL) -> str | None:
    """What may have made a program fail that reads this file, if it is of no use to ours."""
    if url.drivername != "sqlite":
        return None
    with suppress(sqlite3.Error), closing(sqlite3.connect(str(url.database))) as connection:
        refuse_strange(url, definitions_of(connection))
        return next(strange_values(connection), None)
    return None


def _while_reading(error: BaseException) -> bool:
    """Whether an error comes from what turns stored values into Python's."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    module = "" if at is None else str(at.tb_frame.f_globals.get("__name__"))
    return module == "db.models.columns" or module.partition(".")[0] in ("json", "sqlalchemy")


def _not_opened(url: URL, error: DBAPIError) -> DatabaseError:
    reason = without_secrets(url, first_line(error.orig or error))
    return DatabaseError(f"the database {shown(url)} cannot be used: {reason}")


def check_integrity(
    db_path: str | Path | URL | None = None,
    *,
    whatever_its_size: bool = False,
    thoroughly: bool = False,
) -> None:
    """Raises Damaged for a file that was cut short or overwritten, or beside which another file's
    log lies; half a second for a gigabyte.

    Reads every page once, so that a damaged one is found before it is played on; `thoroughly`, the
    indexes too. Looks at no server, at nothing that is not there yet, and at no file over
    LARGEST_CHECKED bytes unless asked to. Changes nothing, whatever lies beside the file.
    """
    url = resolve_url(db_path)
    check_path(url)
    path = Path(str(url.database))
    if url.drivername != "sqlite" or not path.exists():
        return
    size = path.stat().st_size
    if not size or (size > LARGEST_CHECKED and not (whatever_its_size or thoroughly)):
        return
    refuse_other_log(url)
    reads = f"{path.absolute().as_uri()}?mode=ro"
    check = "PRAGMA integrity_check(1)" if thoroughly else "PRAGMA quick_check(1)"
    try:
        # Whoever may write would move the log into the file.
        with closing(sqlite3.connect(reads, uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            refuse_strange(url, definitions_of(connection))
            found = str(connection.execute(check).fetchone()[0])
    except sqlite3.Error as error:
        told = fault(url, error) or damaged(url, first_line(error))
        if isinstance(told, Damaged):
            told = other_log(url) or told
        raise told from error
    if found != "ok":
        raise other_log(url) or damaged(url, found.strip().splitlines()[-1])
