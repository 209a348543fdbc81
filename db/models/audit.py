"""The trail: what was changed by whom, appended and never changed itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, JsonValue, Table

AUDIT_ACTIONS = ("add", "edit", "status", "delete", "forget")

AUDITED: Mapping[str, frozenset[str]] = {
    "agents": frozenset({"options_hash", "fingerprint"}),
    "kinds": frozenset(),
    "models": frozenset(),
    "prompts": frozenset({"content_hash"}),
    "environments": frozenset({"fingerprint"}),
    "agent_templates": frozenset(),
    "tournament_templates": frozenset(),
    "tournaments": frozenset(
        {"config_hash", "next_fold_index", "counters_version", "started_at", "finished_at"}
    ),
    "annotations": frozenset(),
    "suggestions": frozenset(),
    "people": frozenset({"token_hash", "last_used_at"}),
}
"""The tables whose rows are on the trail, with the columns that are not: what follows from others,
and what no eye may see."""


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
