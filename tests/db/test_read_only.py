"""A database that is opened to be read refuses every statement that would write."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import Database
from db.errors import DatabaseError
from db.queries.games import games


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM agents",
        "UPDATE games SET status = 'void'",
        "INSERT INTO models (name) VALUES ('x')",
        "DROP TABLE games",
        "CREATE TABLE mine (id INTEGER)",
    ],
)
def test_nothing_is_written(database_url: str, statement: str) -> None:
    with Database(database_url, read_only=True) as database:
        with database.session(create=False) as session:
            assert games(session) == []
        with pytest.raises((DBAPIError, DatabaseError)), database.session(create=False) as session:
            session.execute(text(statement))


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 7", "ATTACH 'other.db' AS other"])
def test_a_file_is_not_reached_by_other_ways(sqlite_url: str, statement: str) -> None:
    with (
        Database(sqlite_url, read_only=True) as database,
        pytest.raises((DBAPIError, DatabaseError)),
        database.session(create=False) as session,
    ):
        session.execute(text(statement))
