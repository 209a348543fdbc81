"""Who finished before whom, boards that were computed, and an index by the seed of games.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "pair_scopes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("environment_id", sa.Integer, nullable=False),
        sa.Column("tournament_id", sa.Integer, nullable=True),
        sa.Column("games", sa.Integer, nullable=False),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("newest", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environments.id"],
            name="fk_pair_scopes_environment_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tournament_id"],
            ["tournaments.id"],
            name="fk_pair_scopes_tournament_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_pair_scopes"),
        sa.UniqueConstraint("environment_id", "tournament_id", name="uq_pair_scopes_tournament"),
    )
    whole = sa.text("tournament_id IS NULL")
    op.create_index(
        "uq_pair_scopes_environment",
        "pair_scopes",
        ["environment_id"],
        unique=True,
        sqlite_where=whole,
        postgresql_where=whole,
    )
    op.create_index("ix_pair_scopes_tournament_id", "pair_scopes", ["tournament_id"])
    op.create_table(
        "pair_counts",
        sa.Column("scope_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("other_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("other_part", sa.Text, nullable=False),
        sa.Column("games", sa.Integer, nullable=False),
        sa.Column("won", sa.Integer, nullable=False),
        sa.Column("drawn", sa.Integer, nullable=False),
        sa.Column("blocks", sa.Integer, nullable=False),
        sa.Column("score", sa.BigInteger, nullable=False),
        sa.Column("games_squared", sa.BigInteger, nullable=False),
        sa.Column("games_score", sa.Numeric(40, 0), nullable=False),
        sa.Column("score_squared", sa.Numeric(40, 0), nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["pair_scopes.id"], name="fk_pair_counts_scope_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "scope_id", "by", "agent_id", "part", "other_id", "other_part", name="pk_pair_counts"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stored_boards",
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("newest", KEY, nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("question", name="pk_stored_boards"),
    )
    op.create_index("ix_games_environment_seed", "games", ["environment_id", "seed"])
    op.drop_index("ix_games_environment_id", "games")


def downgrade() -> None:
    op.create_index("ix_games_environment_id", "games", ["environment_id"])
    op.drop_index("ix_games_environment_seed", "games")
    op.drop_table("stored_boards")
    op.drop_table("pair_counts")
    op.drop_table("pair_scopes")
