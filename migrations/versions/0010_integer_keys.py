"""Keys of turns, calls and payloads that are SQLite's own, without a second index.

Revision ID: 0010
"""

import re

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None

KEYS = {
    "game_turns": "id",
    "turn_payloads": "game_turn_id",
    "llm_calls": "id",
    "call_payloads": "llm_call_id",
}


def upgrade() -> None:
    _retype("BIGINT", "INTEGER")


def downgrade() -> None:
    _retype("INTEGER", "BIGINT")


def _retype(before: str, after: str) -> None:
    """Copy each table into one whose key has another type; SQLite's own is called INTEGER."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    for table, key in KEYS.items():
        made, *indexes = connection.execute(
            sa.text(
                "SELECT sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL "
                "ORDER BY type = 'index'"
            ),
            {"table": table},
        ).scalars()
        other = re.sub(rf"\b{key} {before}\b", f"{key} {after}", made, count=1)
        other = re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_copy", other)
        connection.exec_driver_sql(other)
        connection.exec_driver_sql(f"INSERT INTO {table}_copy SELECT * FROM {table}")  # noqa: S608
        connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql(f"ALTER TABLE {table}_copy RENAME TO {table}")
        for index in indexes:
            connection.exec_driver_sql(index)
