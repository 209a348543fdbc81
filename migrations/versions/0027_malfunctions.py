"""A lapse of programs that play: they crash, hang, or answer what is no answer.

Revision ID: 0027
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | None = None
depends_on: str | None = None

BEFORE = "'silence', 'refusal', 'overlong', 'time_limit'"


def upgrade() -> None:
    for table, kind in (("game_players", sa.Integer), ("counters", sa.BigInteger)):
        column = sa.Column("malfunctions", kind, nullable=False, server_default=sa.text("0"))
        op.add_column(table, column)
    check(f"{BEFORE}, 'malfunction'")


def downgrade() -> None:
    # It is what comes nearest: the program did nothing.
    op.execute("UPDATE game_turns SET lapse = 'silence' WHERE lapse = 'malfunction'")
    op.execute("UPDATE games SET termination = 'silence' WHERE termination = 'malfunction'")
    op.execute("UPDATE game_players SET silences = silences + malfunctions WHERE malfunctions > 0")
    op.execute("UPDATE counters SET silences = silences + malfunctions WHERE malfunctions > 0")
    check(BEFORE)
    for table in ("counters", "game_players"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN malfunctions")


def check(lapses: str) -> None:
    """The lapses that a turn may have."""
    words = f"CONSTRAINT ck_game_turns_lapse CHECK (lapse IN ({lapses}))"
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE game_turns DROP CONSTRAINT ck_game_turns_lapse")
        op.execute(f"ALTER TABLE game_turns ADD {words}")
        return
    # SQLite takes a check with a new column alone; it goes where the old column goes.
    op.execute("ALTER TABLE game_turns RENAME COLUMN lapse TO earlier_lapse")
    op.execute(f"ALTER TABLE game_turns ADD COLUMN lapse TEXT {words}")
    op.execute("UPDATE game_turns SET lapse = earlier_lapse WHERE earlier_lapse IS NOT NULL")
    op.execute("ALTER TABLE game_turns DROP COLUMN earlier_lapse")
