"""Suggestions: findings that were kept, their status, and the effects that were measured.

Revision ID: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "suggestions",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("evidence", JSON, nullable=False),
        sa.Column("impact", sa.Float, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("history", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suggestions"),
        sa.UniqueConstraint("key", name="uq_suggestions_key"),
        sa.CheckConstraint(
            "status IN ('open', 'accepted', 'rejected', 'done')", name="ck_suggestions_status"
        ),
        sa.CheckConstraint("impact BETWEEN 0 AND 1", name="ck_suggestions_impact"),
    )


def downgrade() -> None:
    op.drop_table("suggestions")
