"""What people say of games: ratings, tags and comments.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "annotations",
        sa.Column("id", KEY, nullable=False),
        sa.Column("game_id", KEY, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("rating", sa.Integer, nullable=True),
        sa.Column("comment", sa.Text, nullable=True),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_annotations"),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_annotations_game_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "game_id", "turn", "annotator", name="uq_annotations_game_turn_annotator"
        ),
        sa.CheckConstraint("turn >= -1", name="ck_annotations_turn"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name="ck_annotations_rating"),
        sa.CheckConstraint("annotator <> ''", name="ck_annotations_annotator"),
    )
    op.create_index("ix_annotations_annotator", "annotations", ["annotator", "id"])
    op.create_table(
        "annotation_tags",
        sa.Column("game_id", KEY, nullable=False, autoincrement=False),
        sa.Column("turn", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("annotator", sa.Text, nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("game_id", "turn", "annotator", "tag", name="pk_annotation_tags"),
        sa.ForeignKeyConstraint(
            ["game_id", "turn", "annotator"],
            ["annotations.game_id", "annotations.turn", "annotations.annotator"],
            name="fk_annotation_tags_annotation",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("tag <> ''", name="ck_annotation_tags_tag"),
    )
    op.create_index("ix_annotation_tags_tag_game_id", "annotation_tags", ["tag", "game_id"])


def downgrade() -> None:
    op.drop_table("annotation_tags")
    op.drop_table("annotations")
