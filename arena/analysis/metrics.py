"""Metrics by entity, name and time as a pandas frame."""

from __future__ import annotations

from typing import Unpack

import pandas as pd

from arena.analysis.columns import FLOAT, STRING, TIME, series
from arena.analysis.frame_query import Columns, Sources, chosen_columns, of_each
from arena.analysis.source import Filters, Readable, session_on
from arena.core import UsageError
from db.errors import BadSelection
from db.queries.metrics import metrics
from db.selection import Selection

_DTYPES = {
    "entity_type": STRING,
    "entity": STRING,
    "name": STRING,
    "tournament": STRING,
    "at": TIME,
    "value": FLOAT,
}


def metrics_df(
    source: Sources = None,
    *,
    entity: str = "agents",
    name: str | list[str] | None = None,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per entity, metric and tournament, in this order: of agents, models, prompts, kinds,
    environments, tournaments, roles or teams (`entity`), of one metric or several (`name`) or all.

    entity_type · entity · name · tournament · at (when the tournament ended, or was last heard of)
    · value (dollars of cost and charged, else a count).

    Raises UsageError for a missing database, for a name that there is not, and for a filter that
    counters do not tell.
    """
    names = () if name is None else (name,) if isinstance(name, str) else tuple(name)
    wanted = chosen_columns([*_DTYPES], columns) or [*_DTYPES]

    def one(each: Readable) -> pd.DataFrame:
        with session_on(each) as session:
            try:
                found = metrics(session, Selection(**filters), entities=entity, names=names)
            except BadSelection as error:
                raise UsageError(str(error)) from error
        rows = found.rows[:limit]
        data = {key: series([getattr(row, key) for row in rows], _DTYPES[key]) for key in wanted}
        return pd.DataFrame(data)

    return of_each(source, one, limit)
