"""Files that rows are written to, piece by piece: Parquet, JSON lines, comma-separated values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, Self, get_args

from arena.analysis.export.columns import ExportedColumn, Holds, as_json
from arena.analysis.export.texts import cell, portable
from arena.core import UsageError

Format = Literal["parquet", "jsonl", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)

Values = Sequence[Sequence[Any]]
"""A piece of a table: for each column its values, as `plain_values` gives them."""


class TableFile(Protocol):
    """A file that is being written: a piece at a time, closed by leaving its block."""

    def write(self, piece: Values) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def table_file(path: Path, form: Format, columns: Sequence[ExportedColumn]) -> TableFile:
    """A new file of these columns. Raises UsageError where the format needs a package that is not
    installed."""
    makers: Mapping[Format, Callable[[], TableFile]] = {
        "parquet": lambda: _Parquet(path, columns),
        "jsonl": lambda: _Lines(path, columns),
        "csv": lambda: _Cells(path, columns),
    }
    return makers[form]()


def arrow() -> Any:
    """pyarrow with its module for Parquet. Raises UsageError when it is missing."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed: type "
            "pip install 'llm-arena[parquet]', or give --format jsonl or --format csv"
        ) from error
    return pyarrow


class _Parquet:
    def __init__(self, path: Path, columns: Sequence[ExportedColumn]) -> None:
        pa = arrow()
        message = pa.struct([("role", pa.string()), ("content", pa.string())])
        types: Mapping[Holds, Any] = {
            "integer": pa.int64(),
            "number": pa.float64(),
            "boolean": pa.bool_(),
            "time": pa.timestamp("us", tz="UTC"),
            "text": pa.string(),
            "json": pa.string(),
            "messages": pa.list_(message),
        }
        self._pa, self._columns = pa, columns
        self._schema = pa.schema([(column.name, types[column.holds]) for column in columns])
        self._file = pa.parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, piece: Values) -> None:
        arrays = [
            self._pa.array(values, type=field.type)
            for values, field in zip(_portable(piece, self._columns), self._schema, strict=True)
        ]
        self._file.write_table(self._pa.Table.from_arrays(arrays, schema=self._schema))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


class _Text:
    """A file of UTF-8 lines that end with a line feed, whatever the system."""

    def __init__(self, path: Path, columns: Sequence[ExportedColumn]) -> None:
        self._columns = columns
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


class _Lines(_Text):
    def write(self, piece: Values) -> None:
        names = [column.name for column in self._columns]
        for row in zip(*_portable(piece, self._columns), strict=True):
            line = json.dumps(
                dict(zip(names, row, strict=True)), ensure_ascii=False, default=_moment
            )
            self._file.write(f"{line}\n")


class _Cells(_Text):
    """Comma-separated values as RFC 4180 has them: a text is in quotes, and what is missing is
    not, so that the two differ."""

    def __init__(self, path: Path, columns: Sequence[ExportedColumn]) -> None:
        super().__init__(path, columns)
        self._file.write(",".join(column.name for column in columns) + "\n")

    def write(self, piece: Values) -> None:
        columns = [
            [_cell(value, column.holds) for value in values]
            for values, column in zip(piece, self._columns, strict=True)
        ]
        for row in zip(*columns, strict=True):
            self._file.write(",".join(row) + "\n")


def _portable(piece: Values, columns: Sequence[ExportedColumn]) -> Values:
    return [
        [None if value is None else portable(value) for value in values]
        if column.holds == "text"
        else values
        for values, column in zip(piece, columns, strict=True)
    ]


def _cell(value: Any, holds: Holds) -> str:
    if value is None:
        return ""
    if holds == "text":
        return _quoted(cell(value))
    if holds == "json":
        return _quoted(value)
    if holds == "messages":
        return _quoted(as_json(value))
    if holds == "time":
        return _moment(value)
    return str(value).lower()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _moment(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{type(value).__name__} is no value of a column")
    return value.isoformat(timespec="microseconds")
