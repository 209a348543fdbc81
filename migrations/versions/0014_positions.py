"""The positions that games came to, and how often games stood alike.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None

UNCOUNTED = (
    "positions IS NULL AND events_version IS NOT NULL AND events_error IS NULL "
    "AND status = 'completed' AND tournament_id IS NOT NULL"
)


def upgrade() -> None:
    op.create_table(
        "position_counts",
        sa.Column("tournament_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("games", sa.Integer, nullable=False),
        sa.Column("won", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["tournament_id"],
            ["tournaments.id"],
            name="fk_position_counts_tournament_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tournament_id", "name", name="pk_position_counts"),
        sqlite_with_rowid=False,
    )
    op.add_column("games", sa.Column("positions", sa.Text, nullable=True))
    uncounted = sa.text(UNCOUNTED)
    op.create_index(
        "ix_games_positions",
        "games",
        ["environment_id"],
        sqlite_where=uncounted,
        postgresql_where=uncounted,
    )


def downgrade() -> None:
    op.drop_index("ix_games_positions", "games")
    # Not Alembic's: it would copy the table, which other tables point to.
    op.execute("ALTER TABLE games DROP COLUMN positions")
    op.drop_table("position_counts")
