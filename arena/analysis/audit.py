"""The trail of what was changed, as a pandas frame."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy import Select

from arena.analysis.columns import INTEGER, OBJECT, STRING, TIME, FrameColumn
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Reading, table
from db.queries.audit import audit_conditions
from db.selection import Moment


def audit_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    entity: str | None = None,
    name: str | None = None,
    actor: str | None = None,
    since: Moment = None,
    until: Moment = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """One row per entry of the trail, in the order in which they were written; of a table
    (`entity`), of what is or was called `name`, by an `actor`, at `since` or later and before
    `until`.

    entry_id · at · actor · entity (the table), entity_id, entity_name · action (add, edit, status,
    delete, forget) · before, after (dicts of the columns that differ, or of all of a row that was
    added or deleted; None without) · reason.

    Raises UsageError for a missing database and for a table, a name or an actor of which there is
    no entry.
    """

    def query(read: Reading) -> FrameQuery:
        wanted = audit_conditions(
            read.connection, entity=entity, name=name, actor=actor, since=since, until=until
        )
        log = table("audit_log")

        def rows(statement: Select[Any]) -> Select[Any]:
            return statement.select_from(log).where(*wanted).order_by(log.c.id)

        return FrameQuery(
            [
                FrameColumn("entry_id", INTEGER, log.c.id),
                FrameColumn("at", TIME, log.c.at),
                FrameColumn("actor", STRING, log.c.actor),
                FrameColumn("entity", STRING, log.c.entity),
                FrameColumn("entity_id", INTEGER, log.c.entity_id),
                FrameColumn("entity_name", STRING, log.c.entity_name),
                FrameColumn("action", STRING, log.c.action),
                FrameColumn("before", OBJECT, log.c.before),
                FrameColumn("after", OBJECT, log.c.after),
                FrameColumn("reason", STRING, log.c.reason),
            ],
            rows,
        )

    return read_frame(source, query, columns=columns, limit=limit)
