"""The columns of a frame: where each comes from in SQL, and the dtype that it always has.

A dtype depends neither on the database nor on the rows, so that an empty frame behaves like a
full one.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, select, type_coerce
from sqlalchemy.types import NullType

from db.models import GAME_STATUSES
from db.models.columns import JsonValue, original_text, stored_json

# Python's own storage: Arrow's refuses the lone surrogates that models write.
STRING = pd.StringDtype(storage="python")
INTEGER = pd.Int64Dtype()
BOOLEAN = pd.BooleanDtype()
FLOAT = np.dtype("float64")
TIME = pd.DatetimeTZDtype(unit="us", tz="UTC")
OBJECT = np.dtype("object")
STATUS = pd.CategoricalDtype([*GAME_STATUSES])
RESULT = pd.CategoricalDtype(["win", "draw", "loss"])

Dtype = Any
ROWS_AT_A_TIME = 2_000
# Without payloads rows are short, and what pandas does for each piece is paid less often.
ROWS_OF_A_FRAME = 20_000


@dataclass(frozen=True, slots=True)
class FrameColumn:
    """One column of a frame.

    `raw` is the column that keeps the bytes of a text that had to be cleaned; `names` turns the
    ids of `source` into what they name.
    """

    name: str
    dtype: Dtype
    source: ColumnElement[Any]
    raw: ColumnElement[Any] | None = None
    names: Mapping[int, Any] | None = None


def selected(columns: Sequence[FrameColumn]) -> Select[Any]:
    """The statement that reads the columns, each under its own position."""
    found: list[ColumnElement[Any]] = []
    for column in columns:
        source = column.source
        if column.dtype is TIME or isinstance(source.type, JsonValue):
            # As the driver has them: a whole column of times is parsed at once, which costs a
            # tenth of parsing each, and most places for JSON are empty.
            source = type_coerce(source, NullType())
        found.append(source.label(f"c{len(found)}"))
        if column.raw is not None:
            found.append(column.raw.label(f"c{len(found)}"))
    return select(*found)


def framed(
    connection: Connection, statement: Select[Any], columns: Sequence[FrameColumn]
) -> pd.DataFrame:
    """The frame of the columns of a statement that `selected` began, some thousand rows in memory
    as objects at a time."""
    pieces: list[list[pd.Series[Any]]] = [[] for _ in columns]
    with _uncollected():
        for rows in _partitions(connection, statement, ROWS_OF_A_FRAME):
            _take(columns, [*zip(*rows, strict=True)], pieces)
    if not all(pieces):
        width = len(columns) + sum(column.raw is not None for column in columns)
        _take(columns, [()] * width, pieces)
    return pd.DataFrame(
        {
            column.name: parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
            for column, parts in zip(columns, pieces, strict=True)
        }
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: rows hold no circles, and it would look through them over and
    over, for as long as reading them takes."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _take(
    columns: Sequence[FrameColumn],
    values: Sequence[Sequence[Any]],
    pieces: Sequence[list[pd.Series[Any]]],
) -> None:
    position = 0
    for column, parts in zip(columns, pieces, strict=True):
        found = values[position]
        position += 1
        if column.raw is not None:
            raw = values[position]
            position += 1
            found = tuple(map(original_text, found, raw))
        if isinstance(column.source.type, JsonValue):
            found = tuple(map(stored_json, found))
        if column.names is not None:
            found = tuple(map(column.names.get, found))
        parts.append(series(found, column.dtype))


def streamed(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    """The rows of a statement, a few thousand in memory at a time."""
    for rows in _partitions(connection, statement, ROWS_AT_A_TIME):
        yield from rows


def _partitions(
    connection: Connection, statement: Select[Any], size: int
) -> Iterator[Sequence[Any]]:
    with connection.execute(statement, execution_options={"yield_per": size}) as result:
        yield from result.partitions()


def series(values: Sequence[Any], dtype: Dtype) -> pd.Series[Any]:
    """A column of values, None for what is not there, in its dtype."""
    column: pd.Series[Any]
    if dtype is OBJECT:
        # Told element by element, so that lists of equal length do not become a matrix.
        column = pd.Series(np.fromiter(values, dtype=OBJECT, count=len(values)), dtype=OBJECT)
    elif dtype is INTEGER:
        # Through a mask: the keys of calls need all 63 bits, which a float on the way would lose.
        mask = np.zeros(len(values), dtype=bool)
        if None in values:
            mask = np.fromiter((value is None for value in values), dtype=bool, count=len(values))
            values = [0 if value is None else value for value in values]
        whole = np.fromiter(values, dtype="int64", count=len(values))
        column = pd.Series(pd.arrays.IntegerArray(whole, mask))
    elif dtype is TIME:
        if isinstance(next((value for value in values if value is not None), None), int):
            # Microseconds, as SQLite keeps those of turns and calls.
            missing = np.iinfo("int64").min
            whole = np.fromiter(
                (missing if value is None else value for value in values), "int64", len(values)
            )
            times = pd.Series(whole.view("datetime64[us]")).dt.tz_localize("UTC")
        else:
            found = pd.Series([*values], dtype=OBJECT)
            times = pd.to_datetime(found, utc=True, format="ISO8601")
        column = times.astype(TIME)
    elif dtype is BOOLEAN:
        column = pd.Series(
            [None if value is None else bool(value) for value in values], dtype=dtype
        )
    else:
        column = pd.Series(list(values), dtype=dtype)
    return column
