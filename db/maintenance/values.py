"""What a driver gives of a column, as the driver of the other kind of database takes it.

Only the few types that the two keep in different ways are looked at: times, JSON, truth values and
the numbers that are longer than SQLite's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Float, Numeric
from sqlalchemy import Table as SQLTable
from sqlalchemy.types import TypeDecorator

from db.errors import Damaged
from db.models.columns import EPOCH, CompactDateTime, JsonValue, aware, microseconds

Convert = Callable[[Any], Any]
_LARGEST = 2**63


def converters(
    table: SQLTable, *, from_file: bool, to_file: bool
) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    """What makes a row for the one driver of a row of the other; None where there is nothing to do.

    The row that is made raises Damaged for a value that is not of its column's type.
    """
    changed = []
    for place, column in enumerate(table.c):
        convert = _both(_read(column, from_file), _write(column, to_file))
        if convert:
            changed.append((place, column, convert))
    if not changed:
        return None

    def converted(row: Sequence[Any]) -> Sequence[Any]:
        made = [*row]
        for place, column, convert in changed:
            value = made[place]
            if value is not None:
                try:
                    made[place] = convert(value)
                except (TypeError, ValueError, OverflowError, AttributeError) as error:
                    raise Damaged(
                        f"{column} holds what is no {column.type}: {str(value)[:60]!r}; "
                        "`arena db verify` lists what is damaged"
                    ) from error
        return made

    return converted


def _both(read: Convert | None, write: Convert | None) -> Convert | None:
    if read is None or write is None:
        return read or write
    return lambda value: write(read(value))


def _read(column: Column[Any], from_file: bool) -> Convert | None:
    """What makes Python's value of the driver's; None where it is one."""
    kind = column.type
    if isinstance(kind, Numeric) and not isinstance(kind, Float):
        return int
    if not from_file:
        return None
    if isinstance(kind, JsonValue):
        return _object
    if isinstance(kind, CompactDateTime):
        return lambda value: EPOCH + timedelta(microseconds=value)
    if _is_time(kind):
        return lambda value: aware(datetime.fromisoformat(value))
    return _truth if isinstance(kind, Boolean) else None


def _write(column: Column[Any], to_file: bool) -> Convert | None:
    """What makes the driver's value of Python's; None where it takes it."""
    kind = column.type
    if isinstance(kind, JsonValue):
        return None if to_file else _jsonb()
    if not to_file:
        return None
    if isinstance(kind, CompactDateTime):
        return microseconds
    if _is_time(kind):
        return lambda value: aware(value).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(kind, Numeric) and not isinstance(kind, Float):
        # As SQLite itself takes it from whoever writes it.
        return lambda value: value if -_LARGEST <= value < _LARGEST else str(value)
    return None


def _is_time(kind: Any) -> bool:
    return isinstance(kind, DateTime) or (
        isinstance(kind, TypeDecorator) and isinstance(kind.impl_instance, DateTime)
    )


def _object(value: Any) -> Any:
    """The text itself: what reads it is the server that it goes to."""
    if not value.lstrip().startswith("{"):
        raise ValueError("no object")
    return value


def _truth(value: Any) -> bool:
    if value not in (0, 1):
        raise ValueError("neither true nor false")
    return bool(value)


def _jsonb() -> Convert:
    from psycopg.types.json import Jsonb

    return lambda value: Jsonb(value, dumps=str.encode)


def as_texts(cursor: Any) -> None:
    """Let a cursor of a server give JSON as the text that it is, without reading it."""
    from psycopg.abc import Buffer
    from psycopg.adapt import Loader
    from psycopg.pq import Format

    class JsonText(Loader):
        format = Format.BINARY

        def load(self, data: Buffer) -> str:
            return bytes(data[1:]).decode()  # after the number of the format

    cursor.adapters.register_loader("jsonb", JsonText)
