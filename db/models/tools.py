"""Calls of tools: one row for each call of a model's."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field, Text

from db.models.columns import BigId, CompactDateTime, Table


class CalledTool(Table, table=True):
    """One call of a tool in a turn.

    `tool_index` counts the calls of the turn, `call_number` says which of the agent's questions to
    its model asked for it. `tool` is the registered name, empty for a function that nobody offers;
    `error` says of what kind a failure is. A row without `result` is a call that is being run, or
    was when the process died. `arguments` holds the name of the function and the arguments as the
    model wrote them; it and `result` are packed texts (`db.codec`).
    """

    __tablename__ = "tool_calls"
    __table_args__ = (
        CheckConstraint("id = game_turn_id * 256 + tool_index", name="ck_tool_calls_id"),
        CheckConstraint("tool_index >= 0 AND tool_index < 256", name="ck_tool_calls_tool_index"),
    )

    id: int = Field(sa_type=BigId, primary_key=True, sa_column_kwargs={"autoincrement": False})
    game_turn_id: int = Field(
        foreign_key="game_turns.id", ondelete="CASCADE", sa_type=BigInteger, index=True
    )
    tool_index: int
    call_number: int
    tool: str = Field(sa_type=Text)
    function: str = Field(sa_type=Text)
    called_at: datetime = Field(sa_type=CompactDateTime)
    took_ms: float | None = None
    error: str | None = Field(default=None, sa_type=Text)
    arguments: bytes
    result: bytes | None = None
