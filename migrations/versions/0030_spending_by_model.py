"""Requests to spend more for one model.

Revision ID: 0030
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("model", sa.Text, nullable=True))


def downgrade() -> None:
    # What was allowed to one model is nothing that the tournament may spend.
    op.execute("DELETE FROM requests WHERE model IS NOT NULL")
    op.execute("ALTER TABLE requests DROP COLUMN model")
