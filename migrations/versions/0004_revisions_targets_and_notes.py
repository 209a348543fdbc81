"""How games are put to players, whom actions were read to choose, what became of notes.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS = (
    ("games", "revision", sa.Integer),
    ("game_turns", "target", sa.Text),
    ("game_turns", "target_how", sa.Text),
)
COUNTS = ("targets", "targets_several", "targets_none", "notes", "notes_lost")


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))
    for table in ("game_players", "conduct"):
        for name in COUNTS:
            none = sa.text("0")
            op.add_column(table, sa.Column(name, sa.Integer, nullable=False, server_default=none))


def downgrade() -> None:
    # In place: a copy would lose the checks of the other columns.
    for table, name, _ in COLUMNS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    for table in ("game_players", "conduct"):
        for name in COUNTS:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
