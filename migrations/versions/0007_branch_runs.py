"""Runs of branches, which hold a lease and resume, and what each holder may spend of a budget.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("leases", sa.Column("granted", JSON, nullable=True))
    op.create_table(
        "branch_runs",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("game_id", KEY, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("seats", JSON, nullable=False),
        sa.Column("times", sa.Integer, nullable=False),
        sa.Column("control", sa.Boolean, nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("tournament_id", sa.Integer, nullable=True),
        sa.Column("holder", sa.Text, nullable=True),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("granted", JSON, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("turn >= 0", name="ck_branch_runs_turn"),
        sa.CheckConstraint("times >= 1", name="ck_branch_runs_times"),
        sa.CheckConstraint("first >= 0", name="ck_branch_runs_first"),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_branch_runs_game_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tournament_id"],
            ["tournaments.id"],
            name="fk_branch_runs_tournament_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_branch_runs"),
        sa.UniqueConstraint("game_id", "turn", "first", name="uq_branch_runs_game_turn_first"),
    )
    op.create_index("ix_branch_runs_tournament_id", "branch_runs", ["tournament_id"])


def downgrade() -> None:
    op.drop_table("branch_runs")
    # In place: a copy would lose the checks of the other columns.
    op.execute("ALTER TABLE leases DROP COLUMN granted")
