"""What the run of a tournament says of itself, beside its lease.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.BigInteger().with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    op.add_column("leases", sa.Column("told", JSON, nullable=True))
    op.add_column("leases", sa.Column("told_at", TIME, nullable=True))


def downgrade() -> None:
    # In place: a copy would lose the checks of the other columns.
    op.execute("ALTER TABLE leases DROP COLUMN told")
    op.execute("ALTER TABLE leases DROP COLUMN told_at")
