"""A database that is opened to be read refuses every statement that would write or reach others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from db import Database, Repository, get_session
from db.errors import DatabaseError, MissingDatabase
from db.queries.games import games

REFUSED = (DBAPIError, DatabaseError)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM agents",
        "UPDATE games SET status = 'void'",
        "INSERT INTO models (name) VALUES ('x')",
        "WITH gone AS (SELECT 1) DELETE FROM games",
        "DROP TABLE games",
        "CREATE TABLE mine (id INTEGER)",
        "CREATE TEMP TABLE mine (id INTEGER)",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE INDEX mine ON games (seed)",
        "ALTER TABLE games ADD COLUMN mine INTEGER",
        "REINDEX games",
        "ANALYZE",
        "VACUUM",
    ],
)
def test_nothing_is_written(database_url: str, statement: str) -> None:
    with Database(database_url, read_only=True) as database:
        with database.session(create=False) as session:
            assert games(session) == []
        if statement == "ANALYZE" and not database_url.startswith("sqlite"):
            return
        with pytest.raises(REFUSED), database.session(create=False) as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "PRAGMA query_only = OFF",
        "PRAGMA trusted_schema = ON",
        "PRAGMA temp_store_directory = '/tmp'",
        "PRAGMA optimize",
        "ATTACH '{other}' AS other",
        "VACUUM INTO '{other}'",
        "SELECT load_extension('{other}')",
        "SELECT LOAD_EXTENSION('{other}', 'init')",
        "SELECT fts3_tokenizer('mine', x'00')",
        "CREATE VIRTUAL TABLE temp.mine USING fts5(words)",
        "UPDATE sqlite_master SET sql = ''",
        "DETACH main",
    ],
)
def test_a_file_is_not_reached_by_other_ways(
    sqlite_url: str, tmp_path: Path, statement: str
) -> None:
    file, other = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "other.db"
    before = file.read_bytes()
    with Database(sqlite_url, read_only=True) as database:
        with database.session(create=False) as session:
            assert games(session) == []
        raw = database.engine.raw_connection()
        driver: Any = raw.driver_connection
        with closing(raw), pytest.raises(sqlite3.DatabaseError):
            driver.execute(statement.format(other=other))
    assert not other.exists()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT nextval(pg_get_serial_sequence('games', 'id'))",
        "SELECT setval(pg_get_serial_sequence('games', 'id'), 1000)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT * FROM games FOR UPDATE",
        "SELECT 1 INTO mine",
        "COPY models FROM PROGRAM 'true'",
        "COMMENT ON TABLE games IS 'mine'",
        "EXPLAIN ANALYZE DELETE FROM games",
        "DO $$ BEGIN DELETE FROM games; END $$",
    ],
)
def test_a_server_is_not_written_by_functions_either(postgresql_url: str, statement: str) -> None:
    with (
        Database(postgresql_url, read_only=True) as database,
        pytest.raises(REFUSED, match="read-only"),
        database.session(create=False) as session,
    ):
        session.execute(text(statement))


def test_a_transaction_cannot_make_itself_writable(postgresql_url: str) -> None:
    with (
        Database(postgresql_url, read_only=True) as database,
        database.session(create=False) as session,
    ):
        session.execute(text("SELECT 1"))
        with pytest.raises(REFUSED, match="read-write"):
            session.execute(text("SET TRANSACTION READ WRITE"))
        session.rollback()
        shown = session.execute(text("SHOW default_transaction_read_only")).scalar()
        assert shown == "on"


def test_what_others_write_is_read_and_does_not_wait(sqlite_url: str) -> None:
    """Readers take no lock that a writer waits for, and see what it has committed."""
    with Database(sqlite_url, read_only=True) as database:
        with database.session(create=False) as session:
            assert session.execute(text("SELECT COUNT(*) FROM models")).scalar() == 0
            # Opened to be read, this begins what reads.
            session.commit()
            session.connection().exec_driver_sql("BEGIN EXCLUSIVE")
            with Database(sqlite_url) as other, other.brief_session(0.001) as writer:
                Repository(writer).create_model("m", "scripted/random")
            session.rollback()
        with database.session(create=False) as session:
            assert session.execute(text("SELECT COUNT(*) FROM models")).scalar() == 1


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "it's 100% #new?.db"
    with Database(missing, read_only=True) as database:
        with pytest.raises(MissingDatabase):
            database.check(create=False)
        with pytest.raises(REFUSED), database.unchecked_session() as session:
            session.execute(text("SELECT 1"))
    assert not missing.exists()
    with get_session(missing):
        pass
    with Database(missing, read_only=True) as database, database.session(create=False) as session:
        assert games(session) == []
