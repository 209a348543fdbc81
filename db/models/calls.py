"""Calls: one row per attempt at a provider."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, false
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped
from sqlmodel import Field, Relationship, Text, col

from db.models.columns import BigId, CompactDateTime, JsonValue, Table, original_text
from db.models.turns import GameTurn
from db.payloads import loaded_messages, loaded_response, loaded_text

ORPHANED = "Orphaned"
"""The error class of a call that was in flight when its process ended."""


class LLMCall(Table, table=True):
    """One attempt at a provider.

    `call_index` counts every attempt of the turn, `call_number` the agent's questions in it and
    `attempt` the tries of that question, all from 0. A row without `response_received_at` is an
    intent: the call is in flight, or was when the process died; its `request_sent_at` is when it
    was about to be sent. `reserved` is the most that it
    could cost, `charged` what it counts against a budget, both in dollars; `cached` says that its
    answer was on record already. `total_response_time_ms` is the provider's time, `lag_ms` that in
    which the call waited for the process that made it; of a call of an earlier release unknown.
    """

    __tablename__ = "llm_calls"
    __table_args__ = (
        CheckConstraint("id = game_turn_id * 256 + call_index", name="ck_llm_calls_id"),
        CheckConstraint("call_index >= 0 AND call_index < 256", name="ck_llm_calls_call_index"),
        # Failed calls are few: a list of them reads no other.
        Index(
            "ix_llm_calls_error_class",
            "error_class",
            "id",
            info={"where": "error_class IS NOT NULL"},
        ),
    )

    id: int = Field(sa_type=BigId, primary_key=True, sa_column_kwargs={"autoincrement": False})
    game_turn_id: int = Field(
        foreign_key="game_turns.id", ondelete="CASCADE", sa_type=BigInteger, index=True
    )
    call_index: int
    call_number: int = 0
    attempt: int = 0
    model: str = Field(sa_type=Text)
    model_answered: str | None = Field(default=None, sa_type=Text)
    request: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    request_hash: str | None = Field(default=None, sa_type=Text)
    request_sent_at: datetime | None = Field(default=None, sa_type=CompactDateTime)
    first_token_ms: float | None = None
    response_received_at: datetime | None = Field(default=None, sa_type=CompactDateTime)
    total_response_time_ms: float | None = None
    lag_ms: float | None = None
    prompt_tokens: int | None = None
    response_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    total_tokens_consumed: int | None = None
    cost: float | None = None
    reserved: float | None = None
    charged: float | None = None
    cached: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    finish_reason: str | None = Field(default=None, sa_type=Text)
    error_class: str | None = Field(default=None, sa_type=Text)
    error_message_text: str | None = Field(
        default=None, sa_type=Text, sa_column_kwargs={"name": "error_message"}
    )
    error_message_raw: bytes | None = None
    error_status: int | None = None

    turn: GameTurn = Relationship(back_populates="calls")

    @hybrid_property
    def error_message(self) -> str | None:
        """What the provider or the network said, as it was written."""
        return original_text(self.error_message_text, self.error_message_raw)

    @error_message.inplace.expression
    @classmethod
    def _error_message_column(cls) -> Mapped[str | None]:
        return col(cls.error_message_text)

    @property
    def messages(self) -> Any:
        """What was sent, whole. Reads the chain of this player's calls."""
        return loaded_messages(self)

    @property
    def text(self) -> str | None:
        """The text of the answer; None for an intent or an error."""
        return loaded_text(self)

    @property
    def response(self) -> Any:
        """What came back, as it was recorded."""
        return loaded_response(self)


class CallPayload(Table, table=True):
    """What is new in a call's messages after the known prefix, and the answer to them."""

    __tablename__ = "call_payloads"
    __table_args__ = (CheckConstraint("prefix_len >= 0", name="ck_call_payloads_prefix_len"),)

    llm_call_id: int = Field(
        foreign_key="llm_calls.id",
        ondelete="CASCADE",
        sa_type=BigId,
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    prefix_len: int = 0
    prefix_hash: bytes | None = None
    messages: bytes
    response: bytes | None = None


class CachedAnswer(Table, table=True):
    """The newest answer on record to a request: the call that was answered holds it."""

    __tablename__ = "cached_answers"

    request_hash: str = Field(sa_type=Text, primary_key=True)
    llm_call_id: int = Field(
        foreign_key="llm_calls.id", ondelete="CASCADE", sa_type=BigInteger, index=True
    )
    stored_at: datetime
