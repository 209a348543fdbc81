"""Calls of tools, as a pandas frame.

Source, filters and dtypes are those of `arena.analysis.frames`.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select, select

from arena.analysis.columns import FLOAT, INTEGER, STRING, TIME, FrameColumn, series
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Filters, Reading, agent_columns, place_columns, table
from arena.analysis.turns import of_turns, part_columns
from db.codec import Codec
from db.payloads import at_turn
from db.queries.archived_games import archived_games, archived_rows_of

_TEXTS = ("arguments", "result")
# Rows whose texts are asked for in one statement.
_AT_ONCE = 500


def tool_calls_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    texts: bool = False,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per call of a tool, in order inside each game; with a player's filters, only its own.

    tool_call_id, turn_id, game_id, turn_number, player_index · tournament, environment · agent_id,
    agent, kind, model, prompt · role, team · tool_index (calls of the turn, from 0), call_number
    (the question to the model that asked for it) · tool (as it is registered, empty for a function
    that nobody offers), function · called_at · took_ms (milliseconds) · error (of what kind a
    failure is, NA for none).

    With `texts` also arguments (as the model wrote them) and result (what it was told, NA for a
    call that was being run when the process died).

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    query = partial(_tool_calls, without=() if texts else _TEXTS)
    return read_frame(source, query, columns=columns, limit=limit, **filters)


def _tool_calls(read: Reading, without: tuple[str, ...]) -> FrameQuery:
    turns, players, used = table("game_turns"), table("game_players"), table("tool_calls")
    columns = [
        FrameColumn("tool_call_id", INTEGER, used.c.id),
        FrameColumn("turn_id", INTEGER, used.c.game_turn_id),
        FrameColumn("game_id", INTEGER, turns.c.game_id),
        FrameColumn("turn_number", INTEGER, turns.c.turn_number),
        FrameColumn("player_index", INTEGER, turns.c.player_index),
        *place_columns(read.catalogue),
        *agent_columns(read.catalogue, players.c.agent_id),
        *part_columns(),
        FrameColumn("tool_index", INTEGER, used.c.tool_index),
        FrameColumn("call_number", INTEGER, used.c.call_number),
        FrameColumn("tool", STRING, used.c.tool),
        FrameColumn("function", STRING, used.c.function),
        FrameColumn("called_at", TIME, used.c.called_at),
        FrameColumn("took_ms", FLOAT, used.c.took_ms),
        FrameColumn("error", STRING, used.c.error),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        return of_turns(statement, read, made="tool_calls").order_by(used.c.id)

    return FrameQuery(columns, rows, partial(_add_texts, read), _TEXTS, without)


def _add_texts(read: Reading, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with what was asked of each tool and what it said."""
    used, codec = table("tool_calls"), Codec()
    keys = frame["tool_call_id"].tolist()
    asked: dict[int, str] = {}
    said: dict[int, str] = {}
    archived = archived_games(read.connection, read.chosen.of_games())
    away = {
        row["id"]: row
        for row in archived_rows_of(
            read.connection, sorted({*archived} & {*frame["game_id"].tolist()}), "tool_calls"
        )
    }
    for at in range(0, len(keys), _AT_ONCE):
        chosen = select(used.c.id, used.c.game_turn_id, used.c.arguments, used.c.result).where(
            used.c.id.in_(keys[at : at + _AT_ONCE])
        )
        for key, turn_id, arguments, result in read.connection.execute(chosen).all():
            if key in away:
                arguments, result = away[key]["arguments"], away[key]["result"]
            with at_turn(turn_id):
                asked[key] = json.loads(codec.unpack(arguments)[0])[1]
                if result is not None:
                    said[key] = codec.unpack(result)[0]
    frame["arguments"] = series([asked.get(key) for key in keys], STRING)
    frame["result"] = series([said.get(key) for key in keys], STRING)
    return frame
