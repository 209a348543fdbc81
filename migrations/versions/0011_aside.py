"""Calls about games on record, vectors of what was said, and who read the claims of a game.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "side_calls",
        sa.Column("id", KEY, nullable=False),
        sa.Column("game_id", KEY, nullable=False),
        sa.Column("turn", sa.Integer),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("model_answered", sa.Text),
        sa.Column("request", JSON),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("request_sent_at", TIME),
        sa.Column("response_received_at", TIME),
        sa.Column("total_response_time_ms", sa.Float),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("response_tokens", sa.Integer),
        sa.Column("cached_tokens", sa.Integer),
        sa.Column("reasoning_tokens", sa.Integer),
        sa.Column("cost", sa.Float),
        sa.Column("reserved", sa.Float),
        sa.Column("charged", sa.Float),
        sa.Column("cached", sa.Boolean, server_default=sa.false(), nullable=False),
        sa.Column("finish_reason", sa.Text),
        sa.Column("error_class", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("error_status", sa.Integer),
        sa.Column("messages", sa.LargeBinary, nullable=False),
        sa.Column("response", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_side_calls"),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_side_calls_game_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_side_calls_game_id", "side_calls", ["game_id"])
    op.create_index("ix_side_calls_request_hash", "side_calls", ["request_hash"])
    op.create_table(
        "text_vectors",
        sa.Column("space", sa.Text, nullable=False),
        sa.Column("game_turn_id", KEY, nullable=False, autoincrement=False),
        sa.Column("text_hash", sa.LargeBinary, nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("space", "game_turn_id", name="pk_text_vectors"),
        sa.ForeignKeyConstraint(
            ["game_turn_id"],
            ["game_turns.id"],
            name="fk_text_vectors_game_turn_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_text_vectors_game_turn_id", "text_vectors", ["game_turn_id"])
    op.create_index("ix_text_vectors_space_text_hash", "text_vectors", ["space", "text_hash"])
    op.add_column("games", sa.Column("events_reader", sa.Text))


def downgrade() -> None:
    # In place: a copy would lose the checks of the other columns.
    op.execute("ALTER TABLE games DROP COLUMN events_reader")
    op.drop_table("text_vectors")
    op.drop_table("side_calls")
