"""What a database holds as a whole: its tables, and how many rows are in each."""

from __future__ import annotations

from sqlalchemy import Connection, func, inspect, literal, select, table

# A migration fills them; what is added to them later comes with rows elsewhere.
_SEEDED = frozenset({"event_types"})


def tables(connection: Connection) -> list[str]:
    """The names of its tables, of whatever release."""
    return [name for name in inspect(connection).get_table_names() if name != "alembic_version"]


def holds_rows(connection: Connection) -> bool:
    """Whether anything is in it that did not come with its tables."""
    return any(
        connection.execute(select(literal(1)).select_from(table(name)).limit(1)).first()
        for name in tables(connection)
        if name not in _SEEDED
    )


def row_counts(connection: Connection) -> dict[str, int]:
    """The number of rows of each table."""
    return {
        name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
        for name in tables(connection)
    }
