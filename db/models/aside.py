"""Calls that no player made, and what embedding models made of the texts of games."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, false
from sqlmodel import Field, Text

from db.models.columns import BigId, JsonValue, Table


class SideCall(Table, table=True):
    """One attempt at a provider beside the games: a reader's question about the speech of a `turn`,
    texts of a game that were embedded, which belong to no single turn, or a person's question,
    which is about no game.

    It is no part of a game: no replay asks for it and no agent is charged for it. `purpose` says
    who asked, as `reader model 1`, `embedding` or `ask`. A row without `response_received_at` is an
    intent: the call is in flight, or was when the process died. `reserved` and `charged` are
    dollars, as in `llm_calls`. `reading` is what was read of the answer, where that is on record.
    `messages` and `response` are packed texts (`db.codec`).
    """

    __tablename__ = "side_calls"
    __table_args__ = (
        Index("ix_side_calls_request_hash", "request_hash"),
        Index("ix_side_calls_game_id", "game_id"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    game_id: int | None = Field(
        default=None, foreign_key="games.id", ondelete="CASCADE", sa_type=BigId
    )
    turn: int | None = None
    purpose: str = Field(sa_type=Text)
    attempt: int = 0
    model: str = Field(sa_type=Text)
    model_answered: str | None = Field(default=None, sa_type=Text)
    request: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    request_hash: str = Field(sa_type=Text)
    request_sent_at: datetime | None = None
    response_received_at: datetime | None = None
    total_response_time_ms: float | None = None
    prompt_tokens: int | None = None
    response_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    reserved: float | None = None
    charged: float | None = None
    cached: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    finish_reason: str | None = Field(default=None, sa_type=Text)
    error_class: str | None = Field(default=None, sa_type=Text)
    error_message: str | None = Field(default=None, sa_type=Text)
    error_status: int | None = None
    reading: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    messages: bytes
    response: bytes | None = None


class TextVector(Table, table=True):
    """What an embedding model made of the action of a turn: float32, little-endian, of length 1.

    `space` names the model with all that changes its vectors: only those of one space can be
    compared. `text_hash` is that of the text, so that equal texts are sent once.
    """

    __tablename__ = "text_vectors"
    __table_args__ = (Index("ix_text_vectors_space_text_hash", "space", "text_hash"),)

    space: str = Field(sa_type=Text, primary_key=True)
    game_turn_id: int = Field(
        foreign_key="game_turns.id",
        ondelete="CASCADE",
        sa_type=BigId,
        primary_key=True,
        index=True,
        sa_column_kwargs={"autoincrement": False},
    )
    text_hash: bytes
    vector: bytes
