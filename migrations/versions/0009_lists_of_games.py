"""An index by which a list of a tournament's games is read from any of them on.

Revision ID: 0009
"""

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index("ix_games_tournament_id", "games", ["tournament_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_games_tournament_id", "games")
