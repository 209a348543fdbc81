"""What happened in games as pandas frames: every event, votes, and what speech claims.

The filters are those of `arena.analysis.frames`; those of a player choose who did it. Games whose
events were never told have no rows: `arena events rebuild` tells them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select, and_, select

from arena.analysis.columns import BOOLEAN, INTEGER, OBJECT, STRING, FrameColumn, series
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Catalogue, Filters, Reading, place_columns, table
from arena.core import UsageError
from arena.registry import unknown

_TARGETS = table("game_players").alias("targets")


def events_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    event: str | Sequence[str] | None = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per event, in the order in which they happened in each game; with `event`, those of
    this kind, or of these kinds.

    game_id, seq (from 0) · tournament, environment · turn (of the game, NA before the first), day,
    phase (the game's own) · kind · source (player_index of who did it), agent, role, team · target
    (player_index of whom it was done to), target_agent, target_role, target_team · audience (who
    was shown it, a bit for each player) · data (a dict, None for none).

    Raises UsageError for a missing database and for a name or a kind that it does not hold.
    """
    kinds = [event] if isinstance(event, str) else event
    query = partial(_events, kinds=kinds)
    return read_frame(source, query, columns=columns, limit=limit, **filters)


def votes_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per vote, as `events_df` has them, without kind and data, and with against (whether
    it was for a player of another team, NA where the game has none).

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    query = partial(
        _events, kinds=["vote"], add=_add_against, added=("against",), without=("kind", "data")
    )
    return read_frame(source, query, columns=columns, limit=limit, **filters)


def _add_against(frame: pd.DataFrame) -> pd.DataFrame:
    frame["against"] = _different(frame.team, frame.target_team)
    return frame


def claims_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per claim and accusation that speech was read as, as `events_df` has them, without
    data; a claim without a target is about the speaker itself.

    Also reader (which read it: `rules` are those of `arena.readers.rules`) · claimed (the role or
    the team), denied (whether that was denied) · true (whether it holds: a claimed role or team is
    or is not that of the player it is about; an accused player is of another team). What is read
    from text may be read wrong.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    query = partial(
        _events,
        kinds=["claim", "accusation"],
        add=_add_claims,
        added=("reader", "claimed", "denied", "true"),
        without=("data",),
    )
    return read_frame(source, query, columns=columns, limit=limit, **filters)


def _add_claims(frame: pd.DataFrame) -> pd.DataFrame:
    data = [each or {} for each in frame.data]
    frame["reader"] = series([each.get("reader") for each in data], STRING)
    frame["claimed"] = series([each.get("role") or each.get("team") for each in data], STRING)
    frame["denied"] = series([bool(each.get("denies")) for each in data], BOOLEAN)
    frame["true"] = series(list(map(_holds, frame.to_dict("records"), data)), BOOLEAN)
    return frame


def _holds(row: Any, data: Any) -> bool | None:
    own = pd.isna(row["target"])
    if row["kind"] == "accusation":
        teams = row["team"], row["target_team"]
        return None if any(map(pd.isna, teams)) else bool(teams[0] != teams[1])
    what = "role" if "role" in data else "team"
    real = row[what] if own else row[f"target_{what}"]
    if pd.isna(real):
        return None
    return bool(real == data[what]) != bool(data.get("denies"))


def _different(one: pd.Series[Any], other: pd.Series[Any]) -> pd.Series[Any]:
    pairs = zip(one, other, strict=True)
    return series([None if pd.isna(a) or pd.isna(b) else bool(a != b) for a, b in pairs], BOOLEAN)


def _events(
    read: Reading,
    kinds: Sequence[str] | None,
    add: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    added: Sequence[str] = (),
    without: Sequence[str] = (),
) -> FrameQuery:
    events, games, players = table("game_events"), table("games"), table("game_players")
    types = table("event_types")
    names = {row[0]: row[1] for row in read.connection.execute(select(types.c.id, types.c.name))}
    numbers = {name: number for number, name in names.items()}
    for kind in kinds or ():
        if kind not in numbers:
            raise UsageError(unknown("kind of event", kind, sorted(numbers)))
    columns = [
        FrameColumn("game_id", INTEGER, events.c.game_id),
        FrameColumn("seq", INTEGER, events.c.seq),
        *place_columns(read.catalogue),
        FrameColumn("turn", INTEGER, events.c.turn),
        FrameColumn("day", INTEGER, events.c.day),
        FrameColumn("phase", STRING, events.c.phase),
        FrameColumn("kind", STRING, events.c.kind, names=names),
        FrameColumn("source", INTEGER, events.c.source),
        *_who("", players, read.catalogue),
        FrameColumn("target", INTEGER, events.c.target),
        *_who("target_", _TARGETS, read.catalogue),
        FrameColumn("audience", INTEGER, events.c.audience),
        FrameColumn("data", OBJECT, events.c.data),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        found = (
            statement.select_from(events)
            .join(games, games.c.id == events.c.game_id)
            .outerjoin(players, _seat(players, events, events.c.source))
            .outerjoin(_TARGETS, _seat(_TARGETS, events, events.c.target))
            .where(*read.chosen.of_seats())
            .order_by(events.c.game_id, events.c.seq)
        )
        if kinds is None:
            return found
        return found.where(events.c.kind.in_([numbers[kind] for kind in kinds]))

    return FrameQuery(columns, rows, add, added, without)


def _seat(players: Any, events: Any, index: Any) -> Any:
    return and_(players.c.game_id == events.c.game_id, players.c.player_index == index)


def _who(prefix: str, players: Any, catalogue: Catalogue) -> list[FrameColumn]:
    return [
        FrameColumn(f"{prefix}agent", STRING, players.c.agent_id, names=catalogue.agents),
        FrameColumn(f"{prefix}role", STRING, players.c.role),
        FrameColumn(f"{prefix}team", STRING, players.c.team),
    ]
