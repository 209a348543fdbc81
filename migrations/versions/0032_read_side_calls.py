"""What was read of the answer to a call beside the games.

Revision ID: 0032
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0032"
down_revision: str | None = "0031"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("side_calls", sa.Column("reading", json, nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE side_calls DROP COLUMN reading")
