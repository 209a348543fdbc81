"""Where a pool's ratings stopped and why, who answers for a model, what came with an action.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

COLUMNS = (
    ("rating_pools", "stopped_at", sa.BigInteger),
    ("rating_pools", "stop_reason", sa.Text),
    ("models", "provider", sa.Text),
    ("turn_payloads", "details", sa.LargeBinary),
)


def upgrade() -> None:
    for table, name, kind in COLUMNS:
        op.add_column(table, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    # In place: a copy would lose the checks of the other columns.
    for table, name, _ in COLUMNS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
