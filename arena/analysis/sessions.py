"""Sessions of agents as a pandas frame."""

from __future__ import annotations

import operator
from typing import Unpack

import pandas as pd

from arena.analysis.columns import FLOAT, INTEGER, STRING, TIME, series
from arena.analysis.frame_query import Columns, Sources, chosen_columns, of_each
from arena.analysis.source import Filters, Readable, read_catalogue, session_on
from arena.core import UsageError
from db.errors import BadSelection
from db.queries.sessions import Within, agent_sessions
from db.selection import Selection

_DTYPES = {
    "tournament": STRING, "game_id": INTEGER, "agent_id": INTEGER, "agent": STRING, "kind": STRING,
    "status": STRING, "games": INTEGER, "turns": INTEGER, "calls": INTEGER, "mean_ms": FLOAT,
    "errors": INTEGER, "lapses": INTEGER, "first_at": TIME, "last_at": TIME,
}  # fmt: skip
_WITHIN: tuple[Within, ...] = ("game", "tournament")


def sessions_df(
    source: Sources = None,
    *,
    within: Within = "game",
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per session, by game (or tournament) and agent: what an agent's turns and calls took
    `within` one game, in all its seats there, or within one tournament.

    tournament · game_id (NA within a tournament) · agent_id, agent, kind · status (of the game or
    the tournament) · games · turns (that it was asked for) · calls (attempts at a provider) ·
    mean_ms (mean time of the answered calls, milliseconds) · errors (calls that failed) · lapses
    (turns that lapsed or that the rules refused) · first_at, last_at (when it was first and last
    heard of).

    Raises UsageError for a missing database, and for a name that it does not hold.
    """
    if within not in _WITHIN:
        raise UsageError(f"within is {within!r}: expected game or tournament")
    number = None if limit is None else operator.index(limit)
    names = chosen_columns([*_DTYPES], columns) or [*_DTYPES]

    def one(each: Readable) -> pd.DataFrame:
        with session_on(each) as session:
            try:
                found = agent_sessions(session, Selection(**filters), within=within, limit=number)
            except BadSelection as error:
                raise UsageError(str(error)) from error
            known = read_catalogue(session.connection())
        called = {"agent": known.agents, "kind": known.kinds}

        def value(row: object, name: str) -> object:
            key = operator.attrgetter("agent_id")(row)
            return called[name].get(key) if name in called else getattr(row, name)

        return pd.DataFrame(
            {name: series([value(row, name) for row in found], _DTYPES[name]) for name in names}
        )

    return of_each(source, one, limit)
