"""What people say of games: a rating, tags, a comment."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field, Text

from db.models.catalogue import now
from db.models.columns import BigId, Table

WHOLE_GAME = -1
"""The `turn` of an annotation that is about no single turn."""


class Annotation(Table, table=True):
    """What an annotator says of a game, or of a turn of it; the annotator's last word.

    `turn` is that of the game, -1 for the whole of it. `rating` is from 1 to 5. `blind` says that
    rating and tags were given with roles and names hidden. Tags are rows of `annotation_tags`.
    """

    __tablename__ = "annotations"
    __table_args__ = (
        CheckConstraint("turn >= -1", name="ck_annotations_turn"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="ck_annotations_rating"),
        CheckConstraint("annotator <> ''", name="ck_annotations_annotator"),
        UniqueConstraint("game_id", "turn", "annotator", name="uq_annotations_game_turn_annotator"),
        Index("ix_annotations_annotator", "annotator", "id"),
    )

    id: int | None = Field(default=None, sa_type=BigId, primary_key=True)
    game_id: int = Field(foreign_key="games.id", ondelete="CASCADE", sa_type=BigId)
    turn: int
    annotator: str = Field(sa_type=Text)
    rating: int | None = None
    comment: str | None = Field(default=None, sa_type=Text)
    blind: bool
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)


class AnnotationTag(Table, table=True):
    """A tag of an annotation; the annotation's game, turn and annotator are its key."""

    __tablename__ = "annotation_tags"
    __table_args__ = (
        ForeignKeyConstraint(
            ["game_id", "turn", "annotator"],
            ["annotations.game_id", "annotations.turn", "annotations.annotator"],
            name="fk_annotation_tags_annotation",
            ondelete="CASCADE",
        ),
        CheckConstraint("tag <> ''", name="ck_annotation_tags_tag"),
        Index("ix_annotation_tags_tag_game_id", "tag", "game_id"),
    )

    game_id: int = Field(sa_type=BigId, primary_key=True, sa_column_kwargs={"autoincrement": False})
    turn: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    annotator: str = Field(sa_type=Text, primary_key=True)
    tag: str = Field(sa_type=Text, primary_key=True)
