"""A model may have its key in a file.

Revision ID: 0035
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("models", sa.Column("api_key_file", sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute("ALTER TABLE models DROP COLUMN api_key_file")
