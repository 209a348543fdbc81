"""Which rows, and which columns of rows, of a game are its transcript: what is archived."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    TableClause,
    bindparam,
    column,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy import table as sql_table

from db import keys

_Holds = Literal["integer", "text", "bytes"]
_Row = Mapping[str, Any]
StoredTexts = Mapping[str, list[dict[str, Any]]]
"""By the name of a table, in the order of play: the key of each row and what was moved of it."""


@dataclass(frozen=True, slots=True)
class MovedPart:
    """What is archived of a table: the `columns`, each with what it holds, of the rows whose `key`
    is of a game; what else tells them apart is `told_by`. What is put in their place is `left`;
    without it, the rows go."""

    name: str
    key: str
    span: Callable[[int], tuple[int, int]]
    columns: Mapping[str, _Holds]
    left: Mapping[str, Any] = field(default_factory=dict)
    told_by: tuple[str, ...] = ()

    @property
    def table(self) -> TableClause:
        """The table for statements; not that of the models, which read their texts through here."""
        names = (self.key, *self.told_by, *self.columns)
        return sql_table(self.name, *(column(name) for name in names))

    def _of_game(self, rows: TableClause, game_id: int) -> list[ColumnElement[bool]]:
        first, end = self.span(game_id)
        key = rows.c[self.key]
        return [key >= first, key < end]

    def read(self, connection: Connection, game_id: int) -> list[dict[str, Any]]:
        """The rows of a game as they are stored."""
        table = self.table
        columns = table.c
        names = (self.key, *self.told_by, *self.columns)
        query: Any = (
            select(*(columns[name] for name in names))
            .where(*self._of_game(table, game_id))
            .order_by(columns[self.key], *(columns[name] for name in self.told_by))
        )
        found = [
            dict(zip(names, map(_plain, row), strict=True)) for row in connection.execute(query)
        ]
        return [
            row for row in found if not self.left or any(row[n] is not None for n in self.columns)
        ]

    def remove(self, connection: Connection, game_id: int) -> None:
        """Take the texts of a game out of the table."""
        table = self.table
        where = self._of_game(table, game_id)
        if self.left:
            connection.execute(update(table).where(*where).values(**self.left))
        else:
            connection.execute(delete(table).where(*where))

    def restore(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        """Put the rows of a game back."""
        if not rows:
            return
        table = self.table
        if not self.left:
            connection.execute(insert(table), rows)
            return
        key = table.c[self.key]
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in self.columns}
        connection.execute(
            update(table).where(key == bindparam("of_row")).values(**values),
            [
                {"of_row": row[self.key], **{f"new_{n}": row[n] for n in self.columns}}
                for row in rows
            ],
        )


MOVED: tuple[MovedPart, ...] = (
    MovedPart(
        "game_turns",
        "id",
        keys.turns_of_game,
        {"action": "text", "action_raw": "bytes", "submitted": "text", "submitted_raw": "bytes"},
        left={"action": None, "action_raw": None, "submitted": None, "submitted_raw": None},
    ),
    MovedPart(
        "turn_payloads",
        "game_turn_id",
        keys.turns_of_game,
        {"prefix_len": "integer", "prefix_hash": "bytes", "body": "bytes", "details": "bytes"},
    ),
    MovedPart(
        "call_payloads",
        "llm_call_id",
        keys.calls_of_game,
        {"prefix_len": "integer", "prefix_hash": "bytes", "messages": "bytes", "response": "bytes"},
    ),
    MovedPart(
        "tool_calls",
        "id",
        keys.calls_of_game,
        {"arguments": "bytes", "result": "bytes"},
        left={"arguments": b"", "result": None},
    ),
    MovedPart(
        "text_vectors",
        "game_turn_id",
        keys.turns_of_game,
        {"text_hash": "bytes", "vector": "bytes"},
        told_by=("space",),
    ),
)
"""Numbers (times, tokens, dollars, who was asked and how it ended) stay where they are: what is
computed of many games needs no file. So do events, of which boards and ratings are made."""


def read_rows(connection: Connection, game_id: int) -> dict[str, list[dict[str, Any]]]:
    """Everything of a game that is archived, as it is stored."""
    return {part.name: part.read(connection, game_id) for part in MOVED}


def hash_of(rows: StoredTexts) -> bytes:
    """The SHA-256 of a game's rows: of every value with its type and length, in order."""
    digest = hashlib.sha256()
    for part in MOVED:
        for row in rows.get(part.name, ()):
            digest.update(part.name.encode())
            for name in (part.key, *part.told_by, *part.columns):
                digest.update(_sealed(row[name]))
    return digest.digest()


def size_of(rows: StoredTexts) -> tuple[int, int]:
    """(rows, bytes of the texts in them)."""
    values = [value for row in _all(rows) for value in row.values()]
    size = sum(
        len(value.encode()) if isinstance(value, str) else len(value)
        for value in values
        if isinstance(value, str | bytes)
    )
    return sum(1 for _ in _all(rows)), size


def _all(rows: StoredTexts) -> Iterator[_Row]:
    for part in MOVED:
        yield from rows.get(part.name, ())


def _sealed(value: Any) -> bytes:
    if value is None:
        return b"n"
    if isinstance(value, bytes):
        return b"b%d:" % len(value) + value
    if isinstance(value, int):
        return b"i%d;" % value
    text = str(value).encode()
    return b"t%d:" % len(text) + text


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value
