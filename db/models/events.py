"""What happened in games, as typed facts: a projection of the record."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, JsonValue, Table


class EventType(Table, table=True):
    """A kind of event. `schema` is the JSON Schema that the data of its events fit."""

    __tablename__ = "event_types"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    description: str = Field(sa_type=Text)
    data_schema: dict[str, Any] = Field(sa_type=JsonValue, sa_column_kwargs={"name": "schema"})
    created_at: datetime = Field(default_factory=now)


class GameEvent(Table, table=True):
    """One fact of a finished game, by `seq` from 0 in the order in which they happened.

    `turn` is that of the game, None before the first; `day` and `phase` are the game's own.
    `source` and `target` are player_indexes; `audience` says who was shown it, a bit for each
    player, 0 for nobody and None where that is not known. The words of a speech, and of whatever
    else a player did, are the action of the turn.

    A projection that can be deleted: `arena events rebuild` plays the record again. The version
    that a game's events are of stands in the game, and so does why it has none.
    """

    __tablename__ = "game_events"
    __table_args__ = (
        Index("ix_game_events_kind_source", "kind", "source"),
        Index(
            "ix_game_events_kind_target",
            "kind",
            "target",
            info={"where": "target IS NOT NULL"},
        ),
        # The key is the table: a second index over every row would be a third of its size.
        {"sqlite_with_rowid": False},
    )

    game_id: int = Field(
        foreign_key="games.id",
        ondelete="CASCADE",
        sa_type=BigId,
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    turn: int | None = None
    day: int | None = None
    phase: str | None = Field(default=None, sa_type=Text)
    kind: int = Field(foreign_key="event_types.id", ondelete="RESTRICT")
    source: int | None = None
    target: int | None = None
    audience: int | None = Field(default=None, sa_type=BigInteger)
    data: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
