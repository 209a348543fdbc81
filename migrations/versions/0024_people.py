"""People with access, and what they are asked in the middle of a game or of a run.

Revision ID: 0024
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("token_hash", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("name", name="uq_people_name"),
        sa.UniqueConstraint("token_hash", name="uq_people_token_hash"),
        sa.CheckConstraint("name <> ''", name="ck_people_name"),
        sa.CheckConstraint(
            "role IN ('viewer', 'annotator', 'player', 'operator')", name="ck_people_role"
        ),
    )
    op.create_table(
        "requests",
        sa.Column("id", KEY, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("tournament_id", sa.Integer, nullable=True),
        sa.Column("game_id", KEY, nullable=True),
        sa.Column("turn_number", sa.Integer, nullable=True),
        sa.Column("person", sa.Text, nullable=True),
        sa.Column("content", sa.Text, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("deadline_at", TIME, nullable=True),
        sa.Column("response", sa.Text, nullable=True),
        sa.Column("answered_by", sa.Text, nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("lapsed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("id", name="pk_requests"),
        sa.ForeignKeyConstraint(
            ["tournament_id"],
            ["tournaments.id"],
            name="fk_requests_tournament_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_requests_game_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("game_id", "turn_number", name="uq_requests_game_turn"),
        sa.CheckConstraint("type IN ('move', 'verdict', 'spend')", name="ck_requests_type"),
        sa.CheckConstraint(
            "type = 'spend' OR (game_id IS NOT NULL AND turn_number IS NOT NULL "
            "AND person IS NOT NULL)",
            name="ck_requests_turn",
        ),
        sa.CheckConstraint(
            "(response IS NULL) = (answered_at IS NULL OR lapsed)", name="ck_requests_response"
        ),
    )
    op.create_index("ix_requests_tournament_id", "requests", ["tournament_id"])
    op.create_index("ix_requests_person", "requests", ["person", "answered_at"])


def downgrade() -> None:
    op.drop_table("requests")
    op.drop_table("people")
