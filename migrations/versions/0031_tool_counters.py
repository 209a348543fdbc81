"""Calls of tools are counted with the rest of what agents used.

Revision ID: 0031
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS = ("tool_calls", "tool_failures", "tool_us")


def upgrade() -> None:
    for name in COLUMNS:
        column = sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))
        op.add_column("counters", column)
    # Tournaments in which tools were called are to be counted again.
    op.execute(
        "UPDATE tournaments SET counters_version = NULL WHERE id IN ("
        "SELECT DISTINCT g.tournament_id FROM tool_calls u JOIN game_turns t "
        "ON t.id = u.game_turn_id JOIN games g ON g.id = t.game_id)"
    )


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.execute(f"ALTER TABLE counters DROP COLUMN {name}")
