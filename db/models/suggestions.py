"""What to look into: findings that were kept, what was decided about each, and what came of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, JsonValue, Table

SUGGESTION_STATUSES = ("open", "accepted", "rejected", "done")
_STATUSES = ", ".join(f"'{status}'" for status in SUGGESTION_STATUSES)


class Suggestion(Table, table=True):
    """A finding that was kept, once for each `key`, which names its question, part and games.

    `evidence` is the finding with its figures and examples, and what games were looked at.
    `impact` is the least difference that its interval holds, from 0 to 1. `history` has the
    `changes` of the status, each with time and name, and the `effects` that comparisons measured
    afterwards.
    """

    __tablename__ = "suggestions"
    __table_args__ = (
        CheckConstraint(f"status IN ({_STATUSES})", name="ck_suggestions_status"),
        CheckConstraint("impact BETWEEN 0 AND 1", name="ck_suggestions_impact"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    key: str = Field(sa_type=Text, unique=True)
    category: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    evidence: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    impact: float
    status: str = Field(default="open", max_length=20)
    history: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)
