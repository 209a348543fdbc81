"""What a database does for each new row, put aside while all of its rows arrive at once: guards,
references and indexes. They are made again at the end, over all rows, which takes far less time
than a look for each row, and holds no list of the rows that are still to be looked at."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from db.errors import DatabaseError

_GUARDED = text(
    "SELECT DISTINCT quote_ident(c.relname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
    "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
)
_REFERENCES = text(
    "SELECT quote_ident(c.relname), quote_ident(k.conname), pg_get_constraintdef(k.oid) "
    "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid "
    "WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace ORDER BY k.oid"
)
_INDEXES = text(
    "SELECT quote_ident(c.relname), pg_get_indexdef(i.indexrelid) "
    "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
    "WHERE c.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT 1 "
    "FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) "
    "ORDER BY i.indexrelid"
)


@contextmanager
def aside_in_file(connection: sqlite3.Connection) -> Iterator[None]:
    """In the transaction of a file, whose references are not enforced meanwhile. Raises
    DatabaseError where one names a row that is not there."""
    # Guards would add rows of their own. An index without SQL is a key, and stays.
    made = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') "
        "AND sql IS NOT NULL ORDER BY type, rowid"
    ).fetchall()
    for kind, name, _ in made:
        connection.execute(f'DROP {kind} "{name}"')
    yield
    for _, _, sql in made:
        connection.execute(sql)
    wrong = connection.execute("PRAGMA foreign_key_check").fetchone()
    if wrong is not None:
        raise _without_parent(wrong[0], wrong[2])


@contextmanager
def aside_on_server(connection: Connection) -> Iterator[None]:
    """In the transaction of a connection of the tables' owner. Raises DatabaseError where a
    reference names a row that is not there."""
    from psycopg import errors

    run = connection.exec_driver_sql
    guarded = [*connection.execute(_GUARDED).scalars()]
    references = connection.execute(_REFERENCES).all()
    indexes = connection.execute(_INDEXES).all()
    for table in guarded:
        run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for table, name, _ in references:
        run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        run(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        run(definition)
    for table, name, definition in references:
        try:
            run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        except Exception as error:
            if not isinstance(getattr(error, "orig", error), errors.ForeignKeyViolation):
                raise
            parent = definition.partition(" REFERENCES ")[2].partition("(")[0]
            raise _without_parent(table, parent) from error
    for table in guarded:
        run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _without_parent(table: str, parent: str) -> DatabaseError:
    return DatabaseError(
        f"the source names rows of {parent} in {table} that are not there: "
        "`arena db verify` lists what is damaged"
    )
