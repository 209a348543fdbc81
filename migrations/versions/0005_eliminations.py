"""Who was thrown out of a game for an error, and in which turn.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

# Of the games that are on record it is known who decided one by an error, which was its last turn.
DECIDED = (
    "UPDATE game_players SET eliminated_turn = (SELECT g.turn_count - 1 FROM games g "
    "WHERE g.id = game_players.game_id) WHERE decided"
)


def upgrade() -> None:
    op.add_column("game_players", sa.Column("eliminated_turn", sa.Integer, nullable=True))
    op.add_column(
        "conduct", sa.Column("eliminated", sa.Integer, nullable=False, server_default=sa.text("0"))
    )
    op.execute(DECIDED)
    op.execute("UPDATE conduct SET eliminated = decided")


def downgrade() -> None:
    # In place: a copy would lose the checks of the other columns.
    op.execute("ALTER TABLE conduct DROP COLUMN eliminated")
    op.execute("ALTER TABLE game_players DROP COLUMN eliminated_turn")
