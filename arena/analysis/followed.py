"""What happened to games and what runs logged as pandas frames. The filters are those of
`arena.analysis.frames`."""

from __future__ import annotations

from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select, case, func, select

from arena.analysis.columns import INTEGER, STRING, TIME, FrameColumn
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Filters, Reading, place_columns, table
from arena.core import UsageError
from db.errors import BadSelection
from db.queries.execution_logs import FIELDS, LEVELS, level_of, lines


def game_states_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row for each time that a game came to another status, by game, in order. That a game was
    scheduled is told by the first row that came `before` from it.

    game_id · tournament, environment · before, status (scheduled, running, paused, completed,
    void) · reason (the termination of a completed game, the cause of a void one, why it is paused)
    · actor (the run, as "run 2", "branches", "hand", "unknown") · at.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(source, _states, columns=columns, limit=limit, **filters)


def _states(read: Reading) -> FrameQuery:
    states, games = table("game_states"), table("games")
    earlier = func.lag(states.c.status).over(partition_by=states.c.game_id, order_by=states.c.id)
    scheduled = case((games.c.created_at < states.c.at, "scheduled"))
    # What came before is told before any row is left out.
    told = (
        select(
            states.c.id, states.c.game_id, states.c.status, states.c.reason, states.c.actor,
            states.c.at, func.coalesce(earlier, scheduled).label("before"),
        )
        .join(games, games.c.id == states.c.game_id)
        .where(*read.chosen.of_games())
        .subquery("told")
    )  # fmt: skip
    columns = [
        FrameColumn("game_id", INTEGER, told.c.game_id),
        *place_columns(read.catalogue),
        FrameColumn("before", STRING, told.c.before),
        FrameColumn("status", STRING, told.c.status),
        FrameColumn("reason", STRING, told.c.reason),
        FrameColumn("actor", STRING, told.c.actor),
        FrameColumn("at", TIME, told.c.at),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        return (
            statement.select_from(told)
            .join(games, games.c.id == told.c.game_id)
            .order_by(told.c.game_id, told.c.id)
        )

    return FrameQuery(columns, rows)


def logs_df(
    source: Sources = None,
    *,
    level: str | None = None,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per line that runs logged, the oldest first: of at least a `level` (debug, info,
    warning, error, critical), of a `tournament`, a `game` or an `agent`, logged at `since` or later
    and before `until`.

    log_id · at · level · logger · tournament · game_id · agent · message. What a line is not about
    is NA.

    Raises UsageError for a missing database, for a name that it does not hold, and for another
    filter.
    """
    try:
        least = 0 if level is None else level_of(level)
    except BadSelection as error:
        raise UsageError(str(error)) from error

    def query(read: Reading) -> FrameQuery:
        return _logs(read, least)

    return read_frame(source, query, columns=columns, limit=limit, **filters)


def _logs(read: Reading, least: int) -> FrameQuery:
    try:
        read.chosen.asked.allow(*FIELDS, what="lines of a log")
    except BadSelection as error:
        raise UsageError(str(error)) from error
    logs = table("execution_logs")
    words = case(
        *((logs.c.level >= number, word) for word, number in reversed(LEVELS.items())),
        else_="debug",
    )
    columns = [
        FrameColumn("log_id", INTEGER, logs.c.id),
        FrameColumn("at", TIME, logs.c.at),
        FrameColumn("level", STRING, words),
        FrameColumn("logger", STRING, logs.c.logger),
        FrameColumn("tournament", STRING, logs.c.tournament_id, names=read.catalogue.tournaments),
        FrameColumn("game_id", INTEGER, logs.c.game_id),
        FrameColumn("agent", STRING, logs.c.agent_id, names=read.catalogue.agents),
        FrameColumn("message", STRING, logs.c.message),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        return statement.select_from(logs).where(*lines(read.chosen, least)).order_by(logs.c.id)

    return FrameQuery(columns, rows)
