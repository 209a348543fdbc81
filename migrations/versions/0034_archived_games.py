"""Archived games: whose transcripts are in files outside of the database.

Revision ID: 0034
"""

import sqlalchemy as sa
from alembic import context, op

from db.transcripts.reading import refuse_forgetting

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "archived_games",
        sa.Column(
            "game_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("row_group", sa.Integer(), nullable=False),
        sa.Column("text_rows", sa.Integer(), nullable=False),
        sa.Column(
            "text_bytes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("file <> ''", name="ck_archived_games_file"),
        sa.CheckConstraint("row_group >= 0", name="ck_archived_games_row_group"),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_archived_games_game_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("game_id", name="pk_archived_games"),
    )


def downgrade() -> None:
    # Without any tables there are no games either.
    if context.get_revision_argument() is not None:
        refuse_forgetting(op.get_bind())
    op.drop_table("archived_games")
