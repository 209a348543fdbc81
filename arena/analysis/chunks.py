"""Reads a frame in pieces of whole games, so that a database of any size fits into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Unpack

import pandas as pd

from arena.analysis.source import Filters, Readable, reading
from arena.core import UsageError
from db.queries.keyset import games_after

FrameReader = Callable[..., pd.DataFrame]
"""`games_df`, `players_df`, `turns_df` or `calls_df`."""


def in_chunks(
    frame: FrameReader,
    source: Readable = None,
    *,
    games: int = 1000,
    options: dict[str, bool] | None = None,
    **filters: Unpack[Filters],
) -> Iterator[pd.DataFrame]:
    """A frame in pieces of at most `games` games each, in order; `options` are the frame's own
    ones, such as `{"observations": True}`.

        for turns in in_chunks(turns_df, "arena.db", tournament="cup"):
            ...

    Raises UsageError for a missing database, and for a name that it does not hold.
    """
    if games < 1:
        raise UsageError(f"games is {games}: expected a number of games, 1 or more")
    last = 0
    while True:
        with reading(source, **filters) as read:
            numbers = games_after(read.connection, read.chosen, games, last)
        if not numbers:
            return
        yield frame(source, **{**filters, **(options or {}), "game": numbers})
        last = numbers[-1]
