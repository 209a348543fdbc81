"""A frame as it can be asked for: its columns, the rows behind them, and what is added afterwards;
read from one database or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select
from sqlalchemy.orm import Session

from arena.analysis.columns import STRING, FrameColumn, framed, selected, series
from arena.analysis.source import Filters, Readable, Reading, reading
from arena.core import UsageError
from arena.registry import unknown
from db.database import Database
from db.errors import BadSelection
from db.urls import resolve_url, shown

Sources = Readable | list[Any]
"""One database, or a list of them, whose rows are put below each other."""

Columns = Sequence[str] | None
"""The columns that are wanted, in this order; None for those that a frame has by itself."""


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """What a frame is read with.

    `rows` adds the joins, conditions and order to the statement of the columns. `add` adds the
    columns `added` to a frame that has all columns of the database. `without` are columns that are
    only there when they are asked for. `complete` fills in the columns `incomplete`, which the
    database has in part, in a frame that has all of its columns.
    """

    columns: Sequence[FrameColumn]
    rows: Callable[[Select[Any]], Select[Any]]
    add: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    added: Sequence[str] = ()
    without: Sequence[str] = ()
    complete: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    incomplete: Sequence[str] = ()

    def frame(self, read: Reading, wanted: Columns) -> pd.DataFrame:
        """The frame with the columns that are wanted. Raises UsageError for one that it cannot
        have."""
        known = [*(column.name for column in self.columns), *self.added]
        names = chosen_columns(known, wanted) or [n for n in known if n not in self.without]
        adding = bool({*names} & {*self.added})
        completing = bool({*names} & {*self.incomplete})
        columns = (
            self.columns
            if adding or completing
            else [column for column in self.columns if column.name in names]
        )
        frame = framed(read.connection, read.limited(self.rows(selected(columns))), columns)
        if adding and self.add is not None:
            frame = self.add(frame)
        if completing and self.complete is not None:
            frame = self.complete(frame)
        return frame[names]


def chosen_columns(known: Sequence[str], wanted: Columns) -> list[str]:
    """The columns that are wanted of those that there are, each once. Raises UsageError for one
    that there is not."""
    if isinstance(wanted, str):
        wanted = [wanted]
    if wanted is not None and not [*wanted]:
        raise UsageError(f"columns is empty: choose of {', '.join(known)}")
    for name in wanted or ():
        if name not in known:
            raise UsageError(unknown("column", str(name), [*known]))
    return [*dict.fromkeys(wanted or ())]


def read_frame(
    source: Sources,
    query: Callable[[Reading], FrameQuery],
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """The frame that `query` makes; of several databases the rows of one after the other, with the
    column `database` before all others."""

    def one(each: Readable) -> pd.DataFrame:
        with reading(each, limit=limit, **filters) as read:
            return query(read).frame(read, columns)

    return of_each(source, one, limit)


def of_each(
    source: Sources, read: Callable[[Readable], pd.DataFrame], limit: int | None = None
) -> pd.DataFrame:
    """What `read` says of a database; of several the rows below each other, with the column
    `database` before all others.

    Raises UsageError for an empty list, for a missing database, and for a name that none of them
    holds.
    """
    if not isinstance(source, list):
        return read(source)
    if not source:
        raise UsageError("there is no database in the list: give at least one path or URL")
    frames = []
    refusals = []
    for each in source:
        try:
            frame = read(each)
        except UsageError as error:
            # A name that is known to one of them only has no rows in the others.
            if not isinstance(error.__cause__, BadSelection):
                raise
            refusals.append(error)
            continue
        frame.insert(0, "database", series([_name(each)] * len(frame), STRING))
        frames.append(frame)
    if not frames:
        raise refusals[0]
    whole = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    return whole if limit is None else whole.head(limit)


def _name(source: Readable) -> str:
    """What a database is called in a frame: its URL without the password."""
    if isinstance(source, Session):
        return shown(source.connection().engine.url)
    return shown(source.url if isinstance(source, Database) else resolve_url(source))
