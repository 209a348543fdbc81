"""The columns of an exported file: what each holds, and a frame's values as plain ones."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal

import pandas as pd

from arena.analysis.columns import BOOLEAN, FLOAT, INTEGER, OBJECT, TIME
from arena.analysis.export.texts import portable
from arena.core import text_of

Holds = Literal["integer", "number", "boolean", "time", "text", "json", "messages"]
"""`json` is JSON in ASCII, as a text; `messages` are a chat's, each a role and a content."""


@dataclass(frozen=True, slots=True)
class ExportedColumn:
    """A column by its name, and what it holds; any value may be missing."""

    name: str
    holds: Holds


def columns_of(frame: pd.DataFrame) -> tuple[ExportedColumn, ...]:
    """The columns of a frame, by its dtypes alone: those of an empty one are the same."""
    return tuple(ExportedColumn(str(name), _held(name, frame[name].dtype)) for name in frame)


def _held(name: object, dtype: Any) -> Holds:
    kinds: Mapping[Any, Holds] = {
        INTEGER: "integer", FLOAT: "number", BOOLEAN: "boolean", TIME: "time", OBJECT: "json",
    }  # fmt: skip
    if name == "messages":
        return "messages"
    return next((held for known, held in kinds.items() if dtype == known), "text")


def plain_values(series: pd.Series[Any], holds: Holds) -> Sequence[Any]:
    """A column's values: int, float, bool, datetime in UTC, str, or a list of messages; None for
    what is missing, and for a number that is none. A text is as it was written: what a file cannot
    carry is escaped when it is written there."""
    values: list[Any]
    if holds == "number":
        numbers: list[float] = series.tolist()
        return [number if math.isfinite(number) else None for number in numbers]
    if holds == "time":
        missing = series.isna().tolist()
        return [
            None if none else time.to_pydatetime().astimezone(UTC)
            for time, none in zip(series, missing, strict=True)
        ]
    if holds == "json":
        return [None if value is None else as_json(value) for value in series]
    if holds == "messages":
        return [None if value is None else chat(value) for value in series]
    missing = series.isna().tolist()
    values = [None if none else value for value, none in zip(series.tolist(), missing, strict=True)]
    return values


def as_json(value: Any) -> str:
    """A value as JSON in ASCII, which can say every character of a text."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)


def chat(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Messages as a role and a text each, which is what trainers take; of parts that are no text
    nothing is left."""
    return [
        {"role": portable(str(message["role"])), "content": portable(text_of(message))}  # type: ignore[arg-type]
        for message in messages
    ]


SCORES: Mapping[Any, float] = {"win": 1.0, "draw": 0.5, "loss": 0.0}
"""What a result counts."""


def plain_rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of a frame as plain values, None for what is missing."""
    values = []
    for name in frame:
        missing = frame[name].isna().tolist()
        values.append(
            [None if none else one for none, one in zip(missing, frame[name].tolist(), strict=True)]
        )
    for row in zip(*values, strict=True):
        yield dict(zip(map(str, frame), row, strict=True))


def by_key(frame: pd.DataFrame, *keys: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of a frame by the values of some columns."""
    return {tuple(row[key] for key in keys): row for row in plain_rows(frame)}
