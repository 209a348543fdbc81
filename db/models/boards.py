"""Leaderboards as they were computed: a projection that can be deleted."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, JsonValue, Table


class StoredBoard(Table, table=True):
    """The answer to one question: `asked` is the question, and `question` the hash of it.

    `newest` is the fold_index of the newest game in it, None without games, and `state` says what
    else was so when it was computed: an answer of another state is behind. `body` is compressed
    JSON of the form that `version` has.
    """

    __tablename__ = "stored_boards"

    question: str = Field(sa_type=Text, primary_key=True)
    asked: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    version: int
    newest: int | None = Field(default=None, sa_type=BigId)
    state: str = Field(sa_type=Text)
    stored_at: datetime = Field(default_factory=now)
    body: bytes
