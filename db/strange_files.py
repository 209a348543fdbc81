"""Refuses a file whose tables would run what a stranger wrote into them.

SQLite keeps the definitions of tables, views and triggers in the file, and runs the expressions in
them whenever a row is read or written: a view in the place of a table may never end.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from db.errors import Damaged, UnwritablePath
from db.triggers import ON_SQLITE
from db.urls import shown

_OURS = frozenset(ON_SQLITE.values())
# Words before a bracket in the definitions of our tables, besides the names of tables and columns.
_WORDS = frozenset(
    {"and", "char", "check", "decimal", "in", "key", "not", "numeric", "or", "unique", "varchar"}
)
_NAME = r"(?:\"[^\"]*\"|`[^`]*`|\[[^\]]*\]|\w+)"
_BRACKET = re.compile(rf"({_NAME})\s*\(")
_REFERENCE = re.compile(rf"(?i)\breferences\s+({_NAME})\s*\(")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_MADE = re.compile(rf"(?is)\s*create\s+table\s+(?:if\s+not\s+exists\s+)?{_NAME}\s*\(")
_INDEX = re.compile(
    rf"(?is)\s*create\s+(?:unique\s+)?index\s+{_NAME}\s+on\s+{_NAME}\s*\(([^()]*)\)"
    r"(?:\s+where\s+[\w\s\"=<>']*)?\s*"
)
_LONGEST = 20_000  # characters of a definition


def refuse_strange(url: URL, definitions: Iterable[Any]) -> None:
    """Raises Damaged for rows of `sqlite_master` (type, name, sql) with a view, a trigger that is
    not ours, a virtual table, or an expression that calls something."""
    for kind, name, sql in definitions:
        if sql is not None and not _is_plain(str(kind), str(sql)):
            raise Damaged(
                f"{shown(url)} holds the {kind} {str(name)[:60]!r}, which would run what somebody "
                "else wrote into the file: it is opened only without it; read its tables with "
                f"another program (`sqlite3 {shown(url)} .dump`) if you trust where it comes from"
            )


def definitions_of(connection: sqlite3.Connection) -> list[Any]:
    """What the file says of its tables, indexes, views and triggers; running nothing of it."""
    return connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()


# The types that SQLite may give to a value, by the declared type of its column.
_TYPES = {
    "BIGINT": ("integer",),
    "INTEGER": ("integer",),
    "BOOLEAN": ("integer",),
    "FLOAT": ("real", "integer"),
    "TEXT": ("text",),
    "VARCHAR": ("text",),
    "DATETIME": ("text",),
    "BLOB": ("blob",),
    "JSON": ("text",),
}


_IS_OBJECT = "CASE WHEN json_valid($) THEN json_type($) = 'object' ELSE false END"


def strange_values(connection: sqlite3.Connection) -> Iterator[str]:
    """A sentence for every column that holds what is not of its type: SQLite takes anything."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for _, column, declared, *_ in connection.execute(f'PRAGMA table_info("{table}")'):
            types = _TYPES.get(declared.partition("(")[0].upper())
            if types is None:
                continue
            empty = ("null",) if _may_be_empty(table, column) else ()
            wanted = ", ".join(f"'{each}'" for each in (*types, *empty))
            wrong = f'typeof("{column}") NOT IN ({wanted})'
            if declared.upper() == "JSON":
                wrong += f" OR (typeof(\"{column}\") = 'text' AND NOT ({_IS_OBJECT}))".replace(
                    "$", f'"{column}"'
                )
            query = f'SELECT count(*) FROM "{table}" WHERE {wrong}'  # noqa: S608
            (found,) = connection.execute(query).fetchone()
            if found:
                yield f"{table}.{column} holds what is no {declared}, in {found} of its rows"
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"{table} names what is not in {parent}"


def _may_be_empty(table: str, column: str) -> bool:
    """Whether our own tables, whatever the file's say, let this column be empty."""
    from db.models import Agent

    ours = Agent.metadata.tables.get(table)
    return ours is None or column not in ours.c or bool(ours.c[column].nullable)


def refuse_no_file(path: Path) -> None:
    """Raises UnwritablePath for a pipe or a device, which would be waited for."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UnwritablePath(f"{path} is no regular file: expected the path of a database file")


def _is_plain(kind: str, sql: str) -> bool:
    return len(sql) <= _LONGEST and _calls_nothing(kind, sql)


# A program opens databases again and again, and their definitions are the same few.
@lru_cache(maxsize=512)
def _calls_nothing(kind: str, sql: str) -> bool:
    if kind == "trigger":
        return " ".join(sql.lower().split()) in _OURS
    bare = _TEXT.sub("''", sql)
    if kind == "index":
        return _INDEX.fullmatch(bare) is not None
    if kind != "table" or _COMMENT.search(bare) or not _MADE.match(bare):
        return False
    inside = bare[_MADE.match(bare).end() :]  # type: ignore[union-attr]
    if re.search(r"(?i)\bgenerated\b|\bas\s*\(|\bselect\b|\bcollate\b|\bcast\b", inside):
        return False
    tables = {_bare(found) for found in _REFERENCE.findall(inside)}
    return all(_bare(word) in _WORDS or _bare(word) in tables for word in _BRACKET.findall(inside))


def _bare(name: str) -> str:
    return name.strip('"`[]').lower()
