"""People: who may do what, and what they are asked in the middle of a game or of a run."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, false
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, Table

ROLES = ("viewer", "annotator", "player", "operator")
REQUEST_TYPES = ("move", "verdict", "spend")


class Person(Table, table=True):
    """A person with access by a token, of which only the SHA-256 is here (hexadecimal).

    `role` includes those before it: viewer, annotator, player, operator. A person whose access is
    revoked has a `revoked_at`, and stays: what they did bears their name.
    """

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint("name <> ''", name="ck_people_name"),
        CheckConstraint(
            "role IN ('viewer', 'annotator', 'player', 'operator')", name="ck_people_role"
        ),
        UniqueConstraint("name", name="uq_people_name"),
        UniqueConstraint("token_hash", name="uq_people_token_hash"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    name: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    token_hash: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=now)
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class Request(Table, table=True):
    """What a person is asked, and what they answered: the first answer, once and for all.

    A `move` or a `verdict` is about a turn of a game, whose observation is what is asked; a `spend`
    about a tournament, and `content` says what for; `model` is the model, by its name in the
    catalogue, whose own budget it is about, None for the tournament's. `person` is who is asked,
    None for any operator. A request is closed when it has an `answered_at`: by a `response` of
    `answered_by`, or because it `lapsed` at its `deadline_at`.
    """

    __tablename__ = "requests"
    __table_args__ = (
        CheckConstraint("type IN ('move', 'verdict', 'spend')", name="ck_requests_type"),
        CheckConstraint(
            "type = 'spend' OR (game_id IS NOT NULL AND turn_number IS NOT NULL "
            "AND person IS NOT NULL)",
            name="ck_requests_turn",
        ),
        CheckConstraint(
            "(response IS NULL) = (answered_at IS NULL OR lapsed)", name="ck_requests_response"
        ),
        UniqueConstraint("game_id", "turn_number", name="uq_requests_game_turn"),
        Index("ix_requests_tournament_id", "tournament_id"),
        Index("ix_requests_person", "person", "answered_at"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    type: str = Field(sa_type=Text)
    tournament_id: int | None = Field(
        default=None, foreign_key="tournaments.id", ondelete="CASCADE"
    )
    game_id: int | None = Field(
        default=None, foreign_key="games.id", ondelete="CASCADE", sa_type=BigId
    )
    turn_number: int | None = None
    person: str | None = Field(default=None, sa_type=Text)
    content: str | None = Field(default=None, sa_type=Text)
    model: str | None = Field(default=None, sa_type=Text)
    asked_at: datetime = Field(default_factory=now)
    deadline_at: datetime | None = None
    response: str | None = Field(default=None, sa_type=Text)
    answered_by: str | None = Field(default=None, sa_type=Text)
    answered_at: datetime | None = None
    lapsed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
