"""One connection that writes: the same few verbs on SQLite and PostgreSQL, without an ORM."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import URL

from db.engine import check_place, connect_server, own_file, place_of, set_pragmas
from db.errors import DatabaseError, UnwritablePath
from db.faults import fault, first_line
from db.models.columns import microseconds
from db.urls import shown, without_secrets

SqlRow = Sequence[Any]
# A statement is written once, with `?` for a value and `?::json` for a JSON text.


class Lost(Exception):
    """The server went away: whether the last commit happened is not known."""


class Connection(Protocol):
    """What the writer asks of a database. Errors are `refused`, `Lost`, or bugs."""

    refused: type[Exception]
    # Whether the server knows the session by the name that its URL gives it.
    named: bool

    def fault(self, error: Exception) -> DatabaseError | None:
        """What an error says of the whole database; None when only its rows are at fault."""
        ...

    def time(self, moment: datetime) -> Any:
        """An aware time as the driver wants it."""
        ...

    def moment(self, moment: datetime) -> Any:
        """The same for a `CompactDateTime`."""
        ...

    def begin(self) -> None:
        """Start a transaction that no other writer can slip into between read and write. Raises
        FileGone where there is nothing to write to any more."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def execute(self, statement: str, values: SqlRow = ()) -> int:
        """Run a statement; the number of rows it changed."""
        ...

    def query(self, statement: str, values: SqlRow = ()) -> list[Any]:
        """The rows of a query."""
        ...

    def run(self, groups: Sequence[tuple[str, Sequence[SqlRow]]]) -> list[int]:
        """Run each statement for all of its rows; the rows changed by each."""
        ...

    def lock_fold(self) -> None:
        """Wait until no other transaction folds ratings, and keep others out until the end."""
        ...

    def close(self) -> None: ...


class SQLiteConnection:
    """The writer's connection to a file."""

    refused: type[Exception] = sqlite3.Error
    named = False

    def __init__(self, url: URL, busy_timeout_ms: int) -> None:
        self._url = url
        own_file(url)
        try:
            self._connection = sqlite3.connect(
                str(url.database), isolation_level=None, cached_statements=256
            )
            try:
                set_pragmas(self._connection)
                self._connection.execute(f"PRAGMA busy_timeout={busy_timeout_ms:d}")
                # What cannot be written is known before anything is played.
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self._connection.close()
                raise
        except sqlite3.Error as error:
            found = fault(url, error) or UnwritablePath(
                f"{shown(url)} cannot be opened for writing ({error}): give another path"
            )
            raise found from error
        log = url.set(database=f"{url.database}-wal")
        self._opened = [(each, place_of(each)) for each in (url, log)]
        self._statements: dict[str, str] = {}

    def fault(self, error: Exception) -> DatabaseError | None:
        return fault(self._url, error)

    def time(self, moment: datetime) -> str:
        if moment.tzinfo is not UTC:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return moment.isoformat(" ", "microseconds")[:26]

    def moment(self, moment: datetime) -> int:
        return microseconds(moment)

    def begin(self) -> None:
        # What is written into a file without a name is lost when it is closed.
        for each, place in self._opened:
            check_place(each, place)
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def execute(self, statement: str, values: SqlRow = ()) -> int:
        return self._connection.execute(statement.replace("::json", ""), values).rowcount

    def query(self, statement: str, values: SqlRow = ()) -> list[Any]:
        return self._connection.execute(statement, values).fetchall()

    def run(self, groups: Sequence[tuple[str, Sequence[SqlRow]]]) -> list[int]:
        counts = []
        for statement, rows in groups:
            ours = self._statements.get(statement)
            if ours is None:
                ours = self._statements[statement] = statement.replace("::json", "")
            counts.append(self._connection.executemany(ours, rows).rowcount)
        return counts

    def lock_fold(self) -> None:
        # BEGIN IMMEDIATE already holds the only write lock there is.
        pass

    def close(self) -> None:
        self._connection.close()


class PostgreSQLConnection:
    """The writer's connection to a server."""

    def __init__(self, url: URL) -> None:
        import psycopg

        self._url = url
        self.refused: type[Exception] = psycopg.Error
        # psycopg files the server's own good-bye elsewhere.
        self._frozen = psycopg.errors.IdleInTransactionSessionTimeout
        self._aborted = psycopg.errors.PipelineAborted
        self._gone = (psycopg.OperationalError, self._frozen)
        try:
            self._connection: Any = connect_server(url)
        except psycopg.Error as error:
            reason = without_secrets(url, first_line(error))
            found = fault(url, error) or DatabaseError(
                f"the database {shown(url)} cannot be reached: {reason}"
            )
            raise found from error
        self.named = self._connection.prepare_threshold is not None
        self._statements: dict[str, str] = {}

    def fault(self, error: Exception) -> DatabaseError | None:
        return fault(self._url, error)

    def time(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

    moment = time

    def begin(self) -> None:
        # psycopg begins by itself, with the first statement.
        pass

    def commit(self) -> None:
        try:
            self._connection.commit()
        except self._gone as error:
            raise self._lost(error) from error

    def rollback(self) -> None:
        if not self._connection.closed:
            try:
                self._connection.rollback()
            except self._gone as error:
                raise self._lost(error) from error

    def execute(self, statement: str, values: SqlRow = ()) -> int:
        try:
            return int(self._connection.execute(self._ours(statement), values).rowcount)
        except self._gone as error:
            raise self._lost(error) from error

    def query(self, statement: str, values: SqlRow = ()) -> list[Any]:
        try:
            return list(self._connection.execute(self._ours(statement), values).fetchall())
        except self._gone as error:
            raise self._lost(error) from error

    def run(self, groups: Sequence[tuple[str, Sequence[SqlRow]]]) -> list[int]:
        cursors = []
        try:
            # One round trip for the whole batch.
            with self._connection.pipeline():
                for statement, rows in groups:
                    cursor = self._connection.cursor()
                    cursor.executemany(self._ours(statement), rows)
                    cursors.append(cursor)
            return [int(cursor.rowcount) for cursor in cursors]
        except (*self._gone, IndexError) as error:
            # IndexError: psycopg has lost count of what it sent, as after a pipeline that broke.
            raise self._lost(error) from error
        finally:
            for cursor in cursors:
                cursor.close()

    def lock_fold(self) -> None:
        self.query("SELECT pg_advisory_xact_lock(7305808869231650158)")

    def close(self) -> None:
        self._connection.close()

    def _ours(self, statement: str) -> str:
        ours = self._statements.get(statement)
        if ours is None:
            ours = statement.replace("?::json", "%s::jsonb").replace("?", "%s")
            self._statements[statement] = ours
        return ours

    def _lost(self, error: Exception) -> Exception:
        # What the server says has a state. Without one the driver speaks: it could not send or
        # read, and a connection that broke inside a pipeline may not even know that it is closed.
        unsaid = getattr(error, "sqlstate", None) is None and not isinstance(error, self._aborted)
        gone = self._connection.closed or isinstance(error, self._frozen) or unsaid
        return Lost(str(error).strip()) if gone else error


def open_writer(url: URL, busy_timeout_ms: int) -> Connection:
    """A connection that writes. Raises DatabaseError when there is none to be had."""
    if url.drivername == "sqlite":
        return SQLiteConnection(url, busy_timeout_ms)
    return PostgreSQLConnection(url)
