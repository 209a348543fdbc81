"""The parts that agents are made of: models, kinds and prompts."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, Text

from db.models.columns import JsonValue, Table


def now() -> datetime:
    """The time of a new row."""
    return datetime.now(UTC)


class Model(Table, table=True):
    """A language model as its provider is asked for it. Prices are dollars per million tokens;
    `api_key_env` names the environment variable that holds the key, or `api_key_file` the file,
    never the key; `provider` is
    the registered name of who answers, None for whoever a run asks; `system` is the role that says
    what the prompt says, None for `system`."""

    __tablename__ = "models"
    __table_args__ = (
        CheckConstraint("input_price >= 0", name="ck_models_input_price"),
        CheckConstraint("output_price >= 0", name="ck_models_output_price"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    litellm_model_name: str = Field(sa_type=Text)
    params: dict[str, Any] = Field(default_factory=dict, sa_type=JsonValue, nullable=False)
    api_base: str | None = Field(default=None, sa_type=Text)
    api_key_env: str | None = Field(default=None, sa_type=Text)
    api_key_file: str | None = Field(default=None, sa_type=Text)
    stream: bool = False
    input_price: float | None = None
    output_price: float | None = None
    provider: str | None = Field(default=None, sa_type=Text)
    system: str | None = Field(default=None, sa_type=Text)
    active: bool = True
    created_at: datetime = Field(default_factory=now)


class Kind(Table, table=True):
    """A way of thinking. A kind that behaves differently is another version."""

    __tablename__ = "kinds"
    __table_args__ = (
        UniqueConstraint("name", "version", name="uq_kinds_name_version"),
        CheckConstraint("version >= 1", name="ck_kinds_version"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text)
    version: int = 1
    active: bool = True
    created_at: datetime = Field(default_factory=now)


class Prompt(Table, table=True):
    """An immutable text: a trigger refuses every change but that of `active`. Fork it instead; one
    that never played may be replaced by another row (`db.repository.prompts`).

    A prompt that was forked cannot be deleted: lineage is a fact that ratings are read along.
    """

    __tablename__ = "prompts"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Text, unique=True)
    content: str = Field(sa_type=Text)
    content_hash: str = Field(sa_type=Text)
    forked_from: int | None = Field(
        default=None, foreign_key="prompts.id", ondelete="RESTRICT", index=True
    )
    active: bool = True
    created_at: datetime = Field(default_factory=now)
