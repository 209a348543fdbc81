"""All that a database holds, to be compared with all of another one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from db import get_engine
from db.models.columns import Table
from tests.db.grown import grow

OF_LEASES = {"holder", "fence", "beat"}


def grown(url: str) -> None:
    """Put rows into every table."""
    engine = get_engine(url)
    with engine.begin() as connection:
        grow(connection)
    engine.dispose()


def everything(url: str) -> dict[str, list[Any]]:
    """Every row of every table, in some order that does not depend on the database; what says who
    holds a lease is left out."""
    engine = get_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted(
                (
                    {
                        name: value
                        for name, value in row._mapping.items()
                        if not (name in OF_LEASES and "holder" in table.c)
                    }
                    for row in connection.execute(select(table))
                ),
                key=repr,
            )
            for table in Table.metadata.sorted_tables
        }
    engine.dispose()
    return found
