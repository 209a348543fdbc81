"""What people said of games as a pandas frame. The filters are those of `arena.analysis.frames`."""

from __future__ import annotations

from typing import Any, Unpack

import pandas as pd
from sqlalchemy import Select, and_, func, select

from arena.analysis.columns import BOOLEAN, INTEGER, OBJECT, STRING, TIME, FrameColumn, series
from arena.analysis.frame_query import Columns, FrameQuery, Sources, read_frame
from arena.analysis.source import Filters, Reading, place_columns, table
from db.models import WHOLE_GAME


def annotations_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per annotation, by game, turn and annotator; with a player's filters, those of the
    games that such a player plays in.

    game_id · tournament, environment · turn (of the game, NA for the whole of it) · player_index,
    agent, role, team (who acted in the turn) · annotator · rating (1 to 5, NA for none) · tags (a
    list, empty for none) · comment · blind (whether roles and names were hidden from the annotator)
    · created_at, updated_at.

    Raises UsageError for a missing database and for a name that it does not hold.
    """
    return read_frame(source, _annotations, columns=columns, limit=limit, **filters)


def _annotations(read: Reading) -> FrameQuery:
    notes, games, tags = table("annotations"), table("games"), table("annotation_tags")
    turns, players = table("game_turns"), table("game_players")
    own = and_(
        tags.c.game_id == notes.c.game_id,
        tags.c.turn == notes.c.turn,
        tags.c.annotator == notes.c.annotator,
    )
    joined = select(func.aggregate_strings(tags.c.tag, ",")).where(own).correlate(notes)
    columns = [
        FrameColumn("game_id", INTEGER, notes.c.game_id),
        *place_columns(read.catalogue),
        FrameColumn("turn", INTEGER, func.nullif(notes.c.turn, WHOLE_GAME)),
        FrameColumn("player_index", INTEGER, turns.c.player_index),
        FrameColumn("agent", STRING, players.c.agent_id, names=read.catalogue.agents),
        FrameColumn("role", STRING, players.c.role),
        FrameColumn("team", STRING, players.c.team),
        FrameColumn("annotator", STRING, notes.c.annotator),
        FrameColumn("rating", INTEGER, notes.c.rating),
        FrameColumn("tags_joined", OBJECT, joined.scalar_subquery()),
        FrameColumn("comment", STRING, notes.c.comment),
        FrameColumn("blind", BOOLEAN, notes.c.blind),
        FrameColumn("created_at", TIME, notes.c.created_at),
        FrameColumn("updated_at", TIME, notes.c.updated_at),
    ]

    def rows(statement: Select[Any]) -> Select[Any]:
        acted = and_(turns.c.game_id == notes.c.game_id, turns.c.turn_number == notes.c.turn)
        seat = and_(
            players.c.game_id == notes.c.game_id, players.c.player_index == turns.c.player_index
        )
        return (
            statement.select_from(notes)
            .join(games, games.c.id == notes.c.game_id)
            .outerjoin(turns, acted)
            .outerjoin(players, seat)
            .where(*read.chosen.of_games())
            .order_by(notes.c.game_id, notes.c.turn, notes.c.annotator)
        )

    return FrameQuery(columns, rows, _add_tags, ("tags",), ("tags_joined",))


def _add_tags(frame: pd.DataFrame) -> pd.DataFrame:
    tags = [sorted(each.split(",")) if each else [] for each in frame.tags_joined]
    frame["tags"] = series(tags, OBJECT)
    return frame
