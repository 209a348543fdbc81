"""The trail: what was changed by whom, appended and never changed itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, JsonValue, Table

AUDIT_ACTIONS = ("add", "edit", "status", "delete", "forget")


class AuditEntry(Table, table=True):
    """A change of a row of the table `entity`, which was called `entity_name` afterwards.

    `before` and `after` are the columns that changed; of a row that was added or deleted, all that
    say something. `status` is a tournament's move from a status to another, with its `reason`;
    `forget` says that older entries were removed. Triggers refuse every UPDATE and DELETE.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        CheckConstraint(
            "action IN ('add', 'edit', 'status', 'delete', 'forget')", name="ck_audit_log_action"
        ),
        CheckConstraint("actor <> ''", name="ck_audit_log_actor"),
        Index("ix_audit_log_entity_entity_id", "entity", "entity_id"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    at: datetime = Field(default_factory=now)
    actor: str = Field(sa_type=Text)
    entity: str = Field(sa_type=Text)
    entity_id: int = Field(sa_type=BigId)
    entity_name: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    before: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    after: dict[str, Any] | None = Field(default=None, sa_type=JsonValue)
    reason: str | None = Field(default=None, sa_type=Text)
