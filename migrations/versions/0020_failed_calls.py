"""An index of the calls that failed.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    failed = sa.text("error_class IS NOT NULL")
    op.create_index(
        "ix_llm_calls_error_class",
        "llm_calls",
        ["error_class", "id"],
        sqlite_where=failed,
        postgresql_where=failed,
    )


def downgrade() -> None:
    op.drop_index("ix_llm_calls_error_class", "llm_calls")
