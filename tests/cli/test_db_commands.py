"""`arena db` makes, upgrades and checks the tables, and never drops them unasked."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.commands import Arena


def test_tables_are_made_checked_and_dropped(arena: Arena, empty_database_url: str) -> None:
    url = empty_database_url
    assert "no tables; `arena db upgrade` makes them" in arena("db", "current", "--db", url).stdout
    assert arena("db", "upgrade", "--db", url).exit_code == 0
    current = json.loads(arena("db", "current", "--db", url, "--json").stdout)
    assert current["revision"] == current["head"]
    assert arena("db", "check", "--db", url).exit_code == 0

    refused = arena("db", "downgrade", "base", "--db", url, input="n\n")
    assert refused.exit_code == 1
    assert arena("db", "check", "--db", url).exit_code == 0

    assert arena("db", "downgrade", "base", "--yes", "--db", url).exit_code == 0
    assert "no tables" in arena("db", "current", "--db", url).stdout


def test_tables_that_differ_are_an_exit_code(arena: Arena, sqlite_url: str) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as connection:
        connection.execute("DROP INDEX ix_games_status")
    connection.close()

    result = arena("db", "check", "--db", sqlite_url)

    assert result.exit_code == 1
    assert "ix_games_status" in result.stdout
    assert "differs from revision" in result.stderr


def test_a_database_that_cannot_be_used_is_one_message(arena: Arena, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to be looked at as one")

    for url, said in [
        (str(tmp_path), "is a folder"),
        (str(tmp_path / "none" / "a.db"), "there is no folder"),
        ("mysql://host/x", "'mysql' is not a database of ours"),
        (str(tmp_path / "text.db"), "is not an SQLite database"),
    ]:
        for command in (["db", "upgrade"], ["games"]):
            result = arena(*command, "--db", url)
            assert result.exit_code == 2, (url, command)
            assert result.stderr.startswith("error: ")
            assert said in result.stderr
            assert "Traceback" not in result.stderr


def test_the_environment_names_the_database(
    arena: Arena, played: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listed = arena("games", "--db", played, "--json").stdout

    monkeypatch.setenv("ARENA_DATABASE_URL", f"sqlite:///{played}")
    assert arena("games", "--json").stdout == listed
    monkeypatch.delenv("ARENA_DATABASE_URL")
    monkeypatch.chdir(tmp_path)
    assert arena("games", "--json").exit_code == 2
