"""Agents: a kind, a model, a prompt and options."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Relationship, Text

from db.models.catalogue import Kind, Model, Prompt, now
from db.models.columns import JsonValue, Table


class Agent(Table, table=True):
    """One player of the arena. Change any part of it and it is another agent.

    `fingerprint` hashes what makes it, so that the same agent is known in another database;
    `class_` is a free label (the column is named `class`).
    """

    __tablename__ = "agents"
    __table_args__ = (
        UniqueConstraint(
            "kind_id", "model_id", "prompt_id", "options_hash", name="uq_agents_configuration"
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind_id: int = Field(foreign_key="kinds.id", ondelete="RESTRICT")
    model_id: int = Field(foreign_key="models.id", ondelete="RESTRICT", index=True)
    prompt_id: int = Field(foreign_key="prompts.id", ondelete="RESTRICT", index=True)
    options: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue, nullable=False)
    options_hash: str = Field(sa_type=Text)
    alias: str | None = Field(default=None, sa_type=Text, unique=True)
    class_: str | None = Field(default=None, sa_type=Text, sa_column_kwargs={"name": "class"})
    fingerprint: str = Field(sa_type=Text, index=True)
    active: bool = True
    created_at: datetime = Field(default_factory=now)

    kind: Kind = Relationship()
    model: Model = Relationship()
    prompt: Prompt = Relationship()

    @property
    def label(self) -> str:
        """The name to show: the alias, or kind/model/prompt."""
        return self.alias or f"{self.kind.name}/{self.model.name}/{self.prompt.name}"
