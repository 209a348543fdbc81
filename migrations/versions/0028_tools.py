"""Calls of tools that agents make in their turns.

Revision ID: 0028
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "tool_calls",
        sa.Column("id", KEY, nullable=False, autoincrement=False),
        sa.Column("game_turn_id", sa.BigInteger, nullable=False),
        sa.Column("tool_index", sa.Integer, nullable=False),
        sa.Column("call_number", sa.Integer, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("function", sa.Text, nullable=False),
        sa.Column("called_at", TIME, nullable=False),
        sa.Column("took_ms", sa.Float, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("arguments", sa.LargeBinary, nullable=False),
        sa.Column("result", sa.LargeBinary, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tool_calls"),
        sa.ForeignKeyConstraint(
            ["game_turn_id"],
            ["game_turns.id"],
            name="fk_tool_calls_game_turn_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("id = game_turn_id * 256 + tool_index", name="ck_tool_calls_id"),
        sa.CheckConstraint("tool_index >= 0 AND tool_index < 256", name="ck_tool_calls_tool_index"),
    )
    op.create_index("ix_tool_calls_game_turn_id", "tool_calls", ["game_turn_id"])


def downgrade() -> None:
    op.drop_table("tool_calls")
