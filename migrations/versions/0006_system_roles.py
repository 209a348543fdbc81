"""In which role a model is told what a prompt says.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("models", sa.Column("system", sa.Text, nullable=True))


def downgrade() -> None:
    # In place: a copy would lose the checks of the other columns.
    op.execute("ALTER TABLE models DROP COLUMN system")
