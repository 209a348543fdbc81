"""Calls beside the games that are about none.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    _retype("game_id INTEGER NOT NULL", "game_id INTEGER", nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM side_calls WHERE game_id IS NULL")
    _retype("game_id INTEGER", "game_id INTEGER NOT NULL", nullable=False)


def _retype(before: str, after: str, *, nullable: bool) -> None:
    """SQLite changes no column: the table is copied into another one."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.alter_column("side_calls", "game_id", nullable=nullable)
        return
    made, *indexes = connection.execute(
        sa.text(
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'side_calls' AND sql IS NOT NULL "
            "ORDER BY type = 'index'"
        )
    ).scalars()
    other = made.replace(before, after, 1).replace("side_calls", "side_calls_copy", 1)
    connection.exec_driver_sql(other)
    connection.exec_driver_sql("INSERT INTO side_calls_copy SELECT * FROM side_calls")
    connection.exec_driver_sql("DROP TABLE side_calls")
    connection.exec_driver_sql("ALTER TABLE side_calls_copy RENAME TO side_calls")
    for index in indexes:
        connection.exec_driver_sql(index)
