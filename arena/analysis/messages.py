"""What was said to models and by them, as a pandas frame: one row per message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import pandas as pd

from arena.analysis.columns import BOOLEAN, INTEGER, OBJECT, STRING, series
from arena.analysis.frame_query import Columns, Sources, chosen_columns
from arena.analysis.source import Filters
from arena.analysis.turns import calls_df

_OF_CALL = (
    *("call_id", "turn_id", "game_id", "turn_number", "player_index"),
    *("tournament", "environment", "agent_id", "agent", "kind", "model", "prompt"),
    *("role", "team"),
)
_OWN = ("message_index", "speaker", "content", "new", "answer", "thoughts")


def messages_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    whole: bool = False,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per message of a call, in order; the last one of an answered call is the answer.

    call_id, turn_id, game_id, turn_number, player_index · tournament, environment · agent_id,
    agent, kind, model, prompt · role, team (in the game) · message_index (in the call, from 0) ·
    speaker (`system`, `user` or `assistant`: the message's own "role") · content (a text, or a list
    of parts) · new (whether the player's call before did not begin with it) · answer (whether it is
    what the model answered) · thoughts (of an answer).

    A call repeats the conversation before it: only what is new is here, unless `whole` is asked
    for. `limit` counts calls. Raises UsageError for a missing database and for a name that it does
    not hold.
    """
    calls = calls_df(
        source,
        limit=limit,
        **filters,
        columns=[*_OF_CALL, "messages", "text", "thoughts"],
    )
    of_call = [name for name in calls if name not in ("messages", "text", "thoughts")]
    rows: list[int] = []
    own: list[tuple[Any, ...]] = []
    before: dict[Any, Sequence[Any]] = {}
    told = zip(
        *(calls[name] if name in calls else [None] * len(calls) for name in ("database",)),
        calls["game_id"], calls["player_index"], calls["messages"], calls["text"],
        calls["thoughts"],
        strict=True,
    )  # fmt: skip
    for row, (database, game, player, messages, text, thoughts) in enumerate(told):
        known = _alike(before.get((database, game, player), ()), messages or ())
        before[database, game, player] = messages or ()
        for index, message in enumerate(messages or ()):
            if whole or index >= known:
                rows.append(row)
                own.append((index, *_said(message), index >= known, False, None))
        if not pd.isna(text):
            rows.append(row)
            own.append((len(messages or ()), "assistant", text, True, True, thoughts))
    frame = calls[of_call].iloc[rows].reset_index(drop=True)
    dtypes = (INTEGER, STRING, OBJECT, BOOLEAN, BOOLEAN, STRING)
    told_apart = [*zip(*own, strict=True)] or [()] * len(_OWN)
    for name, values, dtype in zip(_OWN, told_apart, dtypes, strict=True):
        plain = [None if dtype is STRING and value is pd.NA else value for value in values]
        frame[name] = series(plain, dtype)
    names = chosen_columns([*frame], columns)
    return (
        frame[["database", *names]] if names and "database" in frame else frame[names or [*frame]]
    )


def _said(message: Any) -> tuple[Any, Any]:
    if not isinstance(message, Mapping):
        return None, message
    return message.get("role"), message.get("content")


def _alike(before: Sequence[Any], now: Sequence[Any]) -> int:
    """How many messages both begin with."""
    return next(
        (index for index, pair in enumerate(zip(before, now, strict=False)) if pair[0] != pair[1]),
        min(len(before), len(now)),
    )
