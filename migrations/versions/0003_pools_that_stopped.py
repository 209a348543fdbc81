"""Where a pool's ratings stopped, because its system raised, and why.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("rating_pools", sa.Column("stopped_at", sa.BigInteger, nullable=True))
    op.add_column("rating_pools", sa.Column("stop_reason", sa.Text, nullable=True))


def downgrade() -> None:
    for column in ("stopped_at", "stop_reason"):
        op.execute(f"ALTER TABLE rating_pools DROP COLUMN {column}")
