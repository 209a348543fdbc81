"""Lapses of agents, charges of calls, leases of tournaments, and answers to use again.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger()
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)

LAPSE = "lapse IN ('silence', 'refusal', 'overlong', 'time_limit')"
TABLES = ("conduct", "leases", "cached_answers")
PLAYER_COUNTS = ("silences", "refusals", "overlongs", "time_limits")
CONDUCT_COUNTS = ("games", "turns", "invalid_actions", *PLAYER_COUNTS, "decided")


def upgrade() -> None:
    op.add_column("llm_calls", sa.Column("reserved", sa.Float, nullable=True))
    op.add_column("llm_calls", sa.Column("charged", sa.Float, nullable=True))
    op.add_column("llm_calls", flag("cached"))
    op.add_column("tournaments", sa.Column("settings", JSON, nullable=True))
    op.add_column("game_players", sa.Column("turns", sa.Integer, nullable=True))
    for name in PLAYER_COUNTS:
        op.add_column(
            "game_players",
            sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0")),
        )
    op.add_column("game_players", flag("decided"))
    # The same words on both databases: SQLite takes a named check with a new column, and nothing
    # is copied.
    check = f"CONSTRAINT ck_game_turns_lapse CHECK ({LAPSE})"
    op.execute(f"ALTER TABLE game_turns ADD COLUMN lapse TEXT {check}")
    create_tables()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    drop("game_turns", "lapse")
    drop("game_players", "turns", *PLAYER_COUNTS, "decided")
    drop("tournaments", "settings")
    drop("llm_calls", "reserved", "charged", "cached")


def flag(name: str) -> sa.Column[bool]:
    """A column that says no for every row that is there already."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def drop(table: str, *columns: str) -> None:
    """Drop columns of a table, in place: a copy would lose the checks of the others."""
    for column in columns:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def refers(name: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """A foreign key whose rows go with their target."""
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete="CASCADE")


def create_tables() -> None:
    op.create_table(
        "conduct",
        sa.Column("tournament_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("agent_id", sa.Integer, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in CONDUCT_COUNTS),
        refers("fk_conduct_agent_id", "agent_id", "agents.id"),
        refers("fk_conduct_tournament_id", "tournament_id", "tournaments.id"),
        sa.PrimaryKeyConstraint("tournament_id", "agent_id", name="pk_conduct"),
    )
    op.create_index("ix_conduct_agent_id", "conduct", ["agent_id"])
    op.create_table(
        "leases",
        sa.Column("tournament_id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text, nullable=True),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("beat", KEY, nullable=False),
        refers("fk_leases_tournament_id", "tournament_id", "tournaments.id"),
        sa.PrimaryKeyConstraint("tournament_id", name="pk_leases"),
    )
    op.create_table(
        "cached_answers",
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("llm_call_id", KEY, nullable=False),
        sa.Column("stored_at", TIME, nullable=False),
        refers("fk_cached_answers_llm_call_id", "llm_call_id", "llm_calls.id"),
        sa.PrimaryKeyConstraint("request_hash", name="pk_cached_answers"),
    )
    op.create_index("ix_cached_answers_llm_call_id", "cached_answers", ["llm_call_id"])
