"""Templates of agents and of tournaments, and what was made from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import JsonValue, Table


class AgentTemplate(Table, table=True):
    """What agents are made from, by copying: a personality (kind, prompt and its variables), the
    model with its parameters, and tools by name, each with its configuration."""

    __tablename__ = "agent_templates"
    __table_args__ = (CheckConstraint("name <> ''", name="ck_agent_templates_name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=100)
    description: str | None = Field(default=None, sa_type=Text)
    personality: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    model: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    tools: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)


class TournamentTemplate(Table, table=True):
    """What tournaments are made from, by copying: `config` is as in a tournament file, `roles` are
    what its environment deals, each so many times, and the `steps` of the event flow name kinds of
    events in the order in which they are expected."""

    __tablename__ = "tournament_templates"
    __table_args__ = (CheckConstraint("name <> ''", name="ck_tournament_templates_name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=100)
    description: str | None = Field(default=None, sa_type=Text)
    config: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    roles: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    event_flow: dict[str, Any] = Field(sa_type=JsonValue, nullable=False)
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)


class AgentTemplateUse(Table, table=True):
    """An agent that was made from a template, which stays for as long as the agent does."""

    __tablename__ = "agent_template_uses"

    template_id: int = Field(
        foreign_key="agent_templates.id",
        ondelete="RESTRICT",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    agent_id: int = Field(
        foreign_key="agents.id",
        ondelete="CASCADE",
        primary_key=True,
        index=True,
        sa_column_kwargs={"autoincrement": False},
    )
    used_at: datetime = Field(default_factory=now)


class TournamentTemplateUse(Table, table=True):
    """A tournament that was made from a template, which stays for as long as the tournament
    does."""

    __tablename__ = "tournament_template_uses"

    tournament_id: int = Field(
        foreign_key="tournaments.id",
        ondelete="CASCADE",
        primary_key=True,
        sa_column_kwargs={"autoincrement": False},
    )
    template_id: int = Field(foreign_key="tournament_templates.id", ondelete="RESTRICT", index=True)
    used_at: datetime = Field(default_factory=now)
