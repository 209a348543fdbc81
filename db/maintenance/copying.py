"""Copies a database into an empty one of either kind, row for row, as it is at one moment, and
the files of transcripts that its archived games need.

All of it arrives, or nothing: a file gets its name at the end, a server everything in one
transaction. Rows are read and written in batches: what is held in memory does not grow with them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, text
from sqlalchemy import Table as SQLTable

from db import schema
from db.database import Database
from db.engine import check_integrity, said_plainly
from db.errors import DatabaseError
from db.faults import fault, first_line
from db.leases import release_all
from db.maintenance.contents import row_counts
from db.maintenance.targets import arriving, emptied, file_url, refuse_occupied
from db.maintenance.transcript_copies import BroughtTranscripts, bringing, sources_of
from db.maintenance.values import converters
from db.models.columns import Table
from db.urls import shown

_BATCH = 2_000
# A server remembers the keys of a statement's rows until its end, to look for their parents.
_STATEMENT = 10 * _BATCH

_Batches = Generator[Sequence[Sequence[Any]], None, None]
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
            nonlocal done
            for table in tables:
                with closing(_batches(connection, table, sqlite=writer.sqlite)) as batches:
                    writer.write(table, counted(batches))

        def counted(batches: _Batches) -> _Batches:
            nonlocal done
            for batch in batches:
                yield batch
                done += len(batch)
                told(done, sum(expected.values()))

        if target.url.drivername == "sqlite":
            _to_file(target, copied, expected, brought)
        else:
            _to_server(target, copied, expected, brought)
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
    # A row of the same table that is named comes first.
    own = any(key.column.table is table for key in table.foreign_keys)
    order = f" ORDER BY {_names(connection, [*table.primary_key])}" if own else ""
    query = f"SELECT {_names(connection, [*table.c])} FROM {_names(connection, [table])}{order}"  # noqa: S608
    driver: Any = connection.connection.driver_connection
    cursor = driver.cursor() if from_file else driver.cursor(name="copied")
    with closing(cursor):
        cursor.execute(query, **({} if from_file else {"binary": True}))
        while batch := cursor.fetchmany(_BATCH):
            yield [convert(row) for row in batch] if convert else batch


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
    made = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = made.fetchall()
    connection.execute("BEGIN")
    # They guard what is written anew, and would add rows of their own.
    for name, _ in triggers:
        connection.execute(f'DROP TRIGGER "{name}"')
    copied(_FileWriter(connection))
    for _, sql in triggers:
        connection.execute(sql)
    connection.execute("COMMIT")
    wrong = connection.execute("PRAGMA foreign_key_check").fetchone()
    if wrong is not None:
        raise DatabaseError(
            f"the source names rows of {wrong[2]} in {wrong[0]} that are not there: "
            "`arena db verify` lists what is damaged"
        )


def _to_server(
    target: Database, copied: _Filling, expected: Mapping[str, int], brought: BroughtTranscripts
) -> None:
    import psycopg

    if schema.current(target.engine) != schema.HEAD:
        emptied(target)
        schema.upgrade(target.engine)
    try:
        with target.unchecked_session() as session:
            connection = session.connection()
            _fill_server(connection, copied)
            _finish(connection, expected, brought)
            connection.execute(text("ANALYZE"))
    except psycopg.Error as error:
        raise fault(target.url, error) or DatabaseError(
            f"{shown(target.url)} cannot be filled: {first_line(error)}"
        ) from error


@dataclass(frozen=True, slots=True)
class _ServerWriter:
    connection: Connection
    sqlite: bool = False

    def write(self, table: SQLTable, rows: _Batches) -> None:
        driver: Any = self.connection.connection.driver_connection
        name = _names(self.connection, [table])
        statement = (
            f"COPY {name} ({_names(self.connection, [*table.c])}) FROM STDIN (FORMAT binary)"
        )
        types = self._types(table)
        self.connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
        batch: Sequence[Any] | None = next(rows, None)
        while batch is not None:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(types)
                written = 0
                while batch is not None and written < _STATEMENT:
                    for row in batch:
                        copy.write_row(row)
                    written += len(batch)
                    batch = next(rows, None)

    def _types(self, table: SQLTable) -> list[str]:
        query = text(
            "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
            "WHERE a.attrelid = to_regclass(:name)"
        )
        found = self.connection.execute(query, {"name": _names(self.connection, [table])})
        known = {str(name): str(kind) for name, kind in found}
        return [known[column.name] for column in table.c]


_GUARDED = text(
    "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
    "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
)
_COUNTED_UP = text(
    "SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
    "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 "
    "AND NOT a.attisdropped AND pg_get_serial_sequence(quote_ident(c.relname), a.attname) NOTNULL"
)


def _fill_server(connection: Connection, copied: _Filling) -> None:
    quote = connection.dialect.identifier_preparer.quote
    # They guard what is written anew, and would add rows of their own.
    guarded = [quote(name) for name in connection.execute(_GUARDED).scalars()]
    for name in guarded:
        connection.execute(text(f"ALTER TABLE {name} DISABLE TRIGGER USER"))
    copied(_ServerWriter(connection))
    for name in guarded:
        connection.execute(text(f"ALTER TABLE {name} ENABLE TRIGGER USER"))
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
