"""`arena db` makes, upgrades and checks the tables, and never drops them unasked."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from db import Repository, get_session
from tests.cli.commands import Arena
from tests.db.holders import holder
from tests.db.tournaments import tournament

RECORDED = Path(__file__).parent.parent / "recorded" / "arena.db.gz"


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

    went = arena("db", "downgrade", "base", "--yes", "--db", url)
    assert went.exit_code == 0, went.stderr
    assert "no tables" in arena("db", "current", "--db", url).stdout


def test_a_tournament_is_upgraded_with_a_way_back(arena: Arena, tmp_path: Path) -> None:
    db = tmp_path / "arena.db"
    db.write_bytes(gzip.decompress(RECORDED.read_bytes()))
    before = dumped(db)

    rehearsed = arena("db", "upgrade", "--rehearse", "--db", db)
    assert rehearsed.exit_code == 0, rehearsed.stderr
    first, *table = rehearsed.stdout.splitlines()
    assert re.fullmatch(rf"a copy of {db} went from revision 0002 to \d+ in .* s; .* it was", first)
    assert any(line.split() == ["games", "15", "15"] for line in table)
    plain = json.loads(arena("db", "upgrade", "--rehearse", "--json", "--db", db).stdout)
    assert (plain["before"], plain["rows"]["llm_calls"]) == ("0002", [193, 193])
    assert dumped(db) == before

    done = arena("db", "upgrade", "--db", db)
    assert (done.exit_code, done.stdout) == (0, f"{db}: revision {plain['after']}\n")
    (copy,) = tmp_path.glob("arena-0002-*.db")
    assert json.loads(Path(f"{copy}.json").read_text())["revision"] == "0002"
    assert done.stderr == f"the tables of before are in {copy}\n"
    assert json.loads(arena("db", "current", "--json", "--db", copy).stdout)["revision"] == "0002"

    down = arena("db", "downgrade", "0002", "--yes", "--no-backup", "--json", "--db", db)
    assert json.loads(down.stdout) == {
        "version": 1,
        "database": str(db),
        "before": plain["after"],
        "after": "0002",
        "backup": None,
    }
    assert len(list(tmp_path.iterdir())) == 3, "the database, its backup, and what that holds"


def test_a_server_asks_for_a_dump_first(arena: Arena, postgresql_url: str) -> None:
    with get_session(postgresql_url) as session:
        Repository(session).create_kind("thinking")

    refused = arena("db", "downgrade", "base", "--yes", "--db", postgresql_url)

    assert refused.exit_code == 2
    assert "`arena db backup --to FOLDER`" in refused.stderr
    assert "again with --no-backup" in refused.stderr
    done = arena("db", "downgrade", "base", "--yes", "--no-backup", "--db", postgresql_url)
    assert done.exit_code == 0


def test_nothing_is_changed_while_a_tournament_is_run(arena: Arena, sqlite_url: str) -> None:
    tournament(sqlite_url)
    with holder(sqlite_url) as process:
        # It beats faster than anybody looks.
        stop = threading.Event()
        living = threading.Thread(target=beating, args=(sqlite_url, stop))
        living.start()
        try:
            refused = arena("db", "downgrade", "0001", "--yes", "--db", sqlite_url)
        finally:
            stop.set()
            living.join()

    assert refused.exit_code == 2
    assert f"tournament 1 is run by another process (pid {process.pid} on" in refused.stderr
    assert arena("db", "check", "--db", sqlite_url).exit_code == 0


def dumped(file: Path) -> list[str]:
    """Every table and every row of a file."""
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def beating(url: str, stop: threading.Event) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        while not stop.wait(0.01):
            other.execute("UPDATE leases SET beat = beat + 1")


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
