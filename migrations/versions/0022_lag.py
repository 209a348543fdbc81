"""For how long calls waited for the process that made them, beside their provider's time.

Revision ID: 0022
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.add_column("llm_calls", sa.Column("lag_ms", sa.Float, nullable=True))
    # Of games that were counted before nothing is known: their counters stay as they are.
    op.add_column(
        "counters",
        sa.Column("lag_ms", sa.LargeBinary, nullable=False, server_default=sa.text("''")),
    )
    if op.get_bind().dialect.name == "sqlite":
        # The default is a text there, and what is read is a BLOB.
        op.execute("UPDATE counters SET lag_ms = X'' WHERE typeof(lag_ms) = 'text'")


def downgrade() -> None:
    op.drop_column("counters", "lag_ms")
    op.drop_column("llm_calls", "lag_ms")
