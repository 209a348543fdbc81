"""The columns of a frame: where each comes from in SQL, and the dtype that it always has.

A dtype depends neither on the database nor on the rows, so that an empty frame behaves like a
full one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, select

from db.models import GAME_STATUSES
from db.models.columns import original_text

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
        found.append(column.source.label(f"c{len(found)}"))
        if column.raw is not None:
            found.append(column.raw.label(f"c{len(found)}"))
    return select(*found)


def streamed(connection: Connection, statement: Select[Any]) -> Iterator[Any]:
    """The rows of a statement, a few thousand in memory at a time."""
    options = {"yield_per": ROWS_AT_A_TIME}
    with connection.execute(statement, execution_options=options) as result:
        for rows in result.partitions():
            yield from rows


def framed(columns: Sequence[FrameColumn], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """The frame of the rows that `selected` reads; further values of a row are left alone."""
    values = list(zip(*rows, strict=True))
    data: dict[str, Any] = {}
    position = 0
    for column in columns:
        found = values[position] if values else ()
        position += 1
        if column.raw is not None:
            raw = values[position] if values else ()
            position += 1
            found = tuple(map(original_text, found, raw))
        if column.names is not None:
            found = tuple(map(column.names.get, found))
        data[column.name] = series(found, column.dtype)
    return pd.DataFrame(data)


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
    else:
        column = pd.Series(list(values), dtype=dtype)
    return column
