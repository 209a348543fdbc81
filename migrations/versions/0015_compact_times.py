"""Times of turns and calls as microseconds on SQLite: 8 bytes in the place of 26.

Revision ID: 0015
"""

import re

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | None = None
depends_on: str | None = None

TIMES = {
    "game_turns": ("observed_at", "acted_at"),
    "llm_calls": ("request_sent_at", "response_received_at"),
}
# Of '2026-01-02 03:04:05.678901', whose fraction may be shorter or missing.
COMPACT = (
    "CAST(strftime('%s', substr({0}, 1, 19)) AS INTEGER) * 1000000 "
    "+ CAST(substr(substr({0}, 21) || '000000', 1, 6) AS INTEGER)"
)
WRITTEN = (
    "strftime('%Y-%m-%d %H:%M:%S', ({0} - ({0} % 1000000 + 1000000) % 1000000) / 1000000, "
    "'unixepoch') || printf('.%06d', ({0} % 1000000 + 1000000) % 1000000)"
)


def upgrade() -> None:
    _rewrite("DATETIME", "BIGINT", COMPACT)


def downgrade() -> None:
    _rewrite("BIGINT", "DATETIME", WRITTEN)


def _rewrite(before: str, after: str, value: str) -> None:
    """Copy each table into one whose times are of another type."""
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return
    for table, times in TIMES.items():
        made, *indexes = connection.execute(
            sa.text(
                "SELECT sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL "
                "ORDER BY type = 'index'"
            ),
            {"table": table},
        ).scalars()
        for column in times:
            made = re.sub(rf"\b{column} {before}\b", f"{column} {after}", made, count=1)
        made = re.sub(rf'^CREATE TABLE "?{table}"?', f"CREATE TABLE {table}_copy", made)
        connection.exec_driver_sql(made)
        columns = [
            str(row[1]) for row in connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
        ]
        chosen = [
            f'CASE WHEN "{name}" IS NOT NULL THEN {value.format(name)} END'
            if name in times
            else f'"{name}"'
            for name in columns
        ]
        connection.exec_driver_sql(
            f"INSERT INTO {table}_copy SELECT {', '.join(chosen)} FROM {table}"  # noqa: S608
        )
        connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql(f"ALTER TABLE {table}_copy RENAME TO {table}")
        for index in indexes:
            connection.exec_driver_sql(index)
