"""Workers that were taken for dead write nothing more, also when they wake up.

Revision ID: 0033
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: str | None = None
depends_on: str | None = None

TABLES = ("leases", "branch_runs")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("lost", sa.Text))


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DROP COLUMN lost")
