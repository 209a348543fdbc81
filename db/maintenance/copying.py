"""Copies a database into an empty one of either kind, row for row, as it is at one moment, and
the files of transcripts that its archived games need.

All of it arrives, or nothing: a file gets its name at the end, a server everything in one
transaction. Rows are read and written in batches: what is held in memory does not grow with them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, text
from sqlalchemy import Table as SQLTable

from db import schema
from db.database import Database
from db.engine import check_integrity, said_plainly
from db.errors import Damaged, DatabaseError, WriteFailed
from db.faults import fault, first_line, thrown_away
from db.leases import release_all
from db.maintenance.contents import row_counts
from db.maintenance.set_aside import aside_in_file, aside_on_server
from db.maintenance.targets import arriving, emptied, file_url, refuse_occupied
from db.maintenance.transcript_copies import BroughtTranscripts, bringing, sources_of
from db.maintenance.values import as_texts, converters
from db.models.columns import Table
from db.urls import shown

_BATCH = 2_000

_Batches = Generator[Sequence[Any], None, None]
CopyProgress = Callable[[int, int], None]
"""CopyProgress how many rows were copied, of how many."""


@dataclass(frozen=True, slots=True)
class Copied:
    """The rows of each table that were copied, and a sentence for each file of transcripts that is
    missing."""

    rows: Mapping[str, int]
    lost: tuple[str, ...]


class _Writer(Protocol):
    @property
    def sqlite(self) -> bool: ...

    @property
    def as_sent(self) -> bool:
        """Whether it takes a server's own messages, and no rows."""

    def write(self, table: SQLTable, rows: _Batches) -> None: ...


def copy_database(
    source: Database, target: Database, told: CopyProgress = lambda _done, _of: None
) -> Copied:
    """Copy every row of a database, of this release, into one that holds none; others may write to
    the source meanwhile. Nobody holds a lease in the copy, and the index of texts is filled again
    by the next search.

    Raises what opening the source raises, Damaged for a file that is not sound, and DatabaseError
    for a target that holds rows or cannot be written: then it holds none.
    """
    source.check(create=False)
    check_integrity(source.url)
    refuse_occupied(target)
    with (
        _one_moment(source) as connection,
        bringing(sources_of(connection, source.url), target.url) as brought,
    ):
        expected = row_counts(connection)
        # The keys of other tables come after those tables.
        tables = Table.metadata.sorted_tables
        done = 0

        def copied(writer: _Writer) -> None:
            for table in tables:
                batches = (
                    _sent(connection, table)
                    if writer.as_sent
                    else _batches(connection, table, sqlite=writer.sqlite)
                )
                with closing(batches):
                    writer.write(table, counted(batches, expected[table.name]))

        def counted(batches: _Batches, rows: int) -> _Batches:
            nonlocal done
            through = done + rows
            for batch in batches:
                yield batch
                # What a server sends ends with a message that is no row.
                done = min(done + len(batch), through)
                told(done, sum(expected.values()))

        if target.url.drivername == "sqlite":
            _to_file(target, copied, expected, brought)
        else:
            as_sent = source.url.drivername != "sqlite"
            _to_server(target, copied, expected, brought, as_sent=as_sent)
    return Copied(expected, brought.lost)


@contextmanager
def _one_moment(database: Database) -> Iterator[Connection]:
    """A connection that sees the database as it is now, whatever is committed later."""
    with said_plainly(database.url), database.engine.connect() as connection:
        if database.url.drivername == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield connection


def _batches(connection: Connection, table: SQLTable, *, sqlite: bool) -> _Batches:
    """The rows of a table, as the driver of a file or, not `sqlite`, of a server takes them."""
    from_file = connection.dialect.name == "sqlite"
    convert = converters(table, from_file=from_file, to_file=sqlite)
    query = f"SELECT {_names(connection, [*table.c])} FROM {_names(connection, [table])}"  # noqa: S608
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor() if from_file else driver.cursor(name="copied")
    if not from_file:
        as_texts(cursor)
    with closing(cursor):
        cursor.execute(query, **({} if from_file else {"binary": True}))
        while batch := cursor.fetchmany(_BATCH):
            yield [convert(row) for row in batch] if convert else batch


def _sent(connection: Connection, table: SQLTable) -> _Batches:
    """The messages in which a server sends a table to another, a row in each, never taken apart."""
    driver: Any = connection.connection.driver_connection
    names = f"{_names(connection, [table])} ({_names(connection, [*table.c])})"
    with driver.cursor() as cursor, cursor.copy(f"COPY {names} TO STDOUT (FORMAT binary)") as copy:
        messages = iter(copy)
        while batch := [*islice(messages, _BATCH)]:
            yield batch


def _names(connection: Connection, of: Sequence[Any]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    return ", ".join(quote(each.name) for each in of)


_Filling = Callable[[_Writer], None]


def _to_file(
    target: Database, copied: _Filling, expected: Mapping[str, int], brought: BroughtTranscripts
) -> None:
    with arriving(target) as partial:
        with Database(file_url(partial)) as made:
            schema.upgrade(made.engine)
        try:
            with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
                _fill_file(connection, copied)
        except sqlite3.Error as error:
            at = file_url(Path(str(target.url.database)))
            raise fault(at, error) or DatabaseError(
                f"{shown(target.url)} cannot be filled: {first_line(error)}"
            ) from error
        with Database(file_url(partial)) as made:
            with made.unchecked_session() as session:
                _finish(session.connection(), expected, brought)
            with made.engine.connect() as last:
                last.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass(frozen=True, slots=True)
class _FileWriter:
    connection: sqlite3.Connection
    sqlite: bool = True
    as_sent: bool = False

    def write(self, table: SQLTable, rows: _Batches) -> None:
        places = ", ".join("?" * len(table.c))
        names = ", ".join(f'"{column.name}"' for column in table.c)
        statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({places})'  # noqa: S608
        self.connection.execute(f'DELETE FROM "{table.name}"')  # noqa: S608
        for batch in rows:
            self.connection.executemany(statement, batch)


def _fill_file(connection: sqlite3.Connection, copied: _Filling) -> None:
    # What is half made is thrown away: nothing of it needs to outlive the power, or to be undone.
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "foreign_keys=OFF", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    with aside_in_file(connection):
        copied(_FileWriter(connection))
    connection.execute("COMMIT")


def _to_server(
    target: Database,
    copied: _Filling,
    expected: Mapping[str, int],
    brought: BroughtTranscripts,
    *,
    as_sent: bool,
) -> None:
    import psycopg

    try:
        if schema.current(target.engine) != schema.HEAD:
            emptied(target)
            schema.upgrade(target.engine)
        with target.unchecked_session() as session:
            connection = session.connection()
            _fill_server(connection, copied, as_sent=as_sent)
            _finish(connection, expected, brought)
            connection.execute(text("ANALYZE"))
    except psycopg.errors.DataError as error:
        where = re.search(r"COPY (\w+), .*column (\w+)", error.diag.context or "")
        what = f"{where[1]}.{where[2]} in the source" if where else "the source"
        raise Damaged(
            f"{what} holds what the server refuses ({first_line(error)}): "
            "`arena db verify` lists what is damaged"
        ) from error
    except psycopg.Error as error:
        found = fault(target.url, error) or DatabaseError(
            f"{shown(target.url)} cannot be filled: {first_line(error)}"
        )
        raise thrown_away(found) from error
    except WriteFailed as error:
        raise thrown_away(error) from error


@dataclass(frozen=True, slots=True)
class _ServerWriter:
    connection: Connection
    as_sent: bool
    sqlite: bool = False

    def write(self, table: SQLTable, rows: _Batches) -> None:
        driver: Any = self.connection.connection.driver_connection
        name = _names(self.connection, [table])
        statement = (
            f"COPY {name} ({_names(self.connection, [*table.c])}) FROM STDIN (FORMAT binary)"
        )
        types = self._types(table)
        self.connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for batch in rows:
                if self.as_sent:
                    copy.write(b"".join(batch))
                else:
                    for row in batch:
                        copy.write_row(row)

    def _types(self, table: SQLTable) -> list[str]:
        query = text(
            "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
            "WHERE a.attrelid = to_regclass(:name)"
        )
        found = self.connection.execute(query, {"name": _names(self.connection, [table])})
        known = {str(name): str(kind) for name, kind in found}
        return [known[column.name] for column in table.c]


_COUNTED_UP = text(
    "SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 "
    "AND NOT a.attisdropped AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) NOTNULL"
)


def _fill_server(connection: Connection, copied: _Filling, *, as_sent: bool) -> None:
    with aside_on_server(connection):
        copied(_ServerWriter(connection, as_sent))
    quote = connection.dialect.identifier_preparer.quote
    # New rows are numbered after those that came with their numbers.
    for table, column, sequence in connection.execute(_COUNTED_UP).all():
        last = f"SELECT max({quote(column)}) AS id FROM {quote(table)}"  # noqa: S608
        connection.execute(
            text(
                f"SELECT setval(CAST(:sequence AS regclass), coalesce(id, 1), id IS NOT NULL) FROM ({last})"  # noqa: E501, S608
                " AS last"
            ),
            {"sequence": sequence},
        )


def _finish(
    connection: Connection, expected: Mapping[str, int], brought: BroughtTranscripts
) -> None:
    """Let the leases go and rows name the copies of transcripts; raise DatabaseError unless every
    row has arrived."""
    release_all(connection)
    brought.write(connection)
    found = row_counts(connection)
    missing = [name for name in expected if found.get(name) != expected[name]]
    if missing:
        name = missing[0]
        raise DatabaseError(
            f"{name} has {found.get(name)} rows in the copy, and {expected[name]} in the source: "
            "the copy is thrown away; this is a bug of the arena"
        )
