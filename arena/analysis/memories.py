"""What agents remember of their earlier games as a pandas frame."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, Unpack

import pandas as pd
from sqlalchemy import select

from arena.analysis.columns import INTEGER, STRING, series
from arena.analysis.frame_query import Columns, Sources, chosen_columns, of_each
from arena.analysis.source import Filters, Readable, read_catalogue, session_on, table
from arena.core import UsageError
from arena.game.seating import remembering_kind
from arena.reports.memory import agent_memories
from db.errors import BadSelection
from db.selection import Selection

_COLUMNS = {
    "tournament": STRING, "agent_id": INTEGER, "agent": STRING, "kind": STRING, "text": STRING,
    "importance": INTEGER, "game_id": INTEGER, "place": INTEGER, "written": INTEGER,
    "shown": INTEGER, "last_shown": INTEGER, "expires": INTEGER, "games": INTEGER,
}  # fmt: skip
_FIELDS = ("tournament", "agent", "kind", "model", "prompt")


def memories_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per key point that an agent would bring to its next game of a tournament, the
    heaviest of each agent first.

    tournament · agent_id, agent, kind · text (the key point, by the agent itself) · importance (1
    to 10, likewise) · game_id, place (of the game that it is about, and its place in the schedule)
    · written (how many games the agent had finished when it wrote it) · shown (in how many games it
    was shown to the agent), last_shown (the latest of them, counted as `written` is; NA for none) ·
    expires (after how many finished games it is forgotten, NA for never) · games (that the agent
    has finished).

    The filters are `tournament`, `agent`, `kind`, `model` and `prompt`. Raises UsageError for
    another one, for a missing database, and for a name that it does not hold.
    """
    names = chosen_columns([*_COLUMNS], columns) or [*_COLUMNS]
    number = None if limit is None else operator.index(limit)

    def one(each: Readable) -> pd.DataFrame:
        try:
            rows = [*_rows(each, Selection(**filters))][:number]
        except BadSelection as error:
            raise UsageError(str(error)) from error
        return pd.DataFrame(
            {name: series([row[name] for row in rows], _COLUMNS[name]) for name in names}
        )

    return of_each(source, one, limit)


def _rows(source: Readable, selection: Selection) -> Iterator[dict[str, Any]]:
    selection.allow(*_FIELDS, what="memories")
    with session_on(source) as session:
        chosen, agents = selection.on(session), table("agents")
        known = read_catalogue(session.connection())
        query = select(agents.c.id).where(*chosen.of_agents(agents.c.id)).order_by(agents.c.id)
        tournaments = chosen.named.get("tournament")
        for key in session.connection().execute(query).scalars().all():
            if not remembering_kind(known.kinds[key]):
                continue
            told = {"agent_id": key, "agent": known.agents[key], "kind": known.kinds[key]}
            for memory in agent_memories(session, key, tournaments):
                for point in memory.points:
                    yield {
                        "tournament": memory.tournament, "games": memory.games, **told,
                        **{name: getattr(point, name) for name in _COLUMNS if hasattr(point, name)},
                    }  # fmt: skip
