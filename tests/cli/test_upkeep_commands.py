"""`arena db stats`, `vacuum`, `analyze` and `reindex`, on a file and on a server."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from contextlib import closing
from pathlib import Path
from sqlite3 import SQLITE_DENY, SQLITE_OK
from typing import Any

import pytest
from sqlalchemy import text

from db import Database, engine
from db.engine import set_pragmas
from db.example import enter, play
from db.maintenance.prune import prune
from db.maintenance.retention import Retention
from tests.cli.commands import Arena
from tests.cli.test_prune_command import LATER


def told(arena: Arena, *arguments: Any) -> dict[str, Any]:
    result = arena("db", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_sizes_are_told_and_a_vacuum_frees_what_was_said(
    arena: Arena, database_url: str, tmp_path: Path
) -> None:
    url = database_url
    enter(url)
    for _ in range(6):
        play(url)
    with closing(Database(url)) as database:
        with database.session() as session:
            # Long enough that whole pages are free when they have gone.
            session.execute(text("UPDATE call_payloads SET response = :x"), {"x": b"x" * 9_000})
        before = told(arena, "stats", "--db", url)
        rows = {table["name"]: table["rows"] for table in before["tables"]}
        assert (rows["games"], rows["archived_games"]) == (6, 0)
        assert before["turns"] == rows["game_turns"] > 0
        assert before["turn_bytes"] == before["bytes"] / before["turns"]
        (calls,) = (each for each in before["tables"] if each["name"] == "call_payloads")
        assert calls["bytes"] > 9_000 * rows["call_payloads"]
        games = next(each for each in before["tables"] if each["name"] == "games")
        assert games["index_bytes"] == sum(each["bytes"] for each in games["indexes"]) > 0
        policy = Retention(transcripts=0, logs=None)
        prune(database, policy, LATER, folder=tmp_path / "away")
        with database.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_stat_force_next_flush()"))
    after = told(arena, "stats", "--db", url)
    assert (after["archived"], after["file_bytes"] > 0) == (6, True)
    assert after["archived_bytes"] > 9_000 * rows["call_payloads"]

    done = told(arena, "vacuum", "--db", url)
    assert done["freed"] == done["before"] - done["after"] > 0
    if url.startswith("sqlite"):
        assert after["free"] > 9_000 * rows["call_payloads"]
        assert done["freed"] >= after["free"]
    assert told(arena, "stats", "--db", url)["free"] == 0
    for work in ("analyze", "reindex"):
        assert told(arena, work, "--db", url)["work"] == work
    for check in (["db", "check"], ["games"]):
        result = arena(*check, "--db", url)
        assert result.exit_code == 0, result.stdout + result.stderr
    shown = arena("db", "stats", "--db", url)
    assert "archived: 6 games" in shown.stdout
    assert (shown.exit_code, "a vacuum frees about 0" in shown.stdout) == (0, True)
    if url.startswith("postgresql"):
        assert "the server tells no slow queries: an administrator adds" in shown.stderr


def test_a_build_of_sqlite_without_sizes_counts_rows_all_the_same(
    arena: Arena, played: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_dbstat(connection: Any) -> None:
        set_pragmas(connection)
        connection.set_authorizer(
            lambda _does, what, *_: SQLITE_DENY if what == "dbstat" else SQLITE_OK
        )

    monkeypatch.setattr(engine, "set_pragmas", without_dbstat)
    shown = arena("db", "stats", "--db", played)

    assert shown.exit_code == 0, shown.stderr
    assert "(it has no dbstat): rows are counted all the same" in shown.stderr
    (games,) = (line.split() for line in shown.stdout.splitlines() if line.startswith("games "))
    assert games[1] == "6"
    (games,) = (t for t in told(arena, "stats", "--db", played)["tables"] if t["name"] == "games")
    assert (games["bytes"], games["index_bytes"]) == (None, None)


def test_nobody_is_kept_out_of_a_game(
    arena: Arena, played: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = str(shutil.copy(played, tmp_path / "copy.db"))
    with closing(Database(copied)) as database:
        lease = database.lease(1)
        for work in ("vacuum", "analyze", "reindex"):
            refused = arena("db", work, "--db", copied)
            assert refused.exit_code == 2
            assert f"{work} keeps everybody out of it: stop the run" in refused.stderr
        lease.release()

    space = namedtuple("space", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: space(10_000, 9_000, 1_000))
    full = arena("db", "vacuum", "--db", copied)
    assert full.exit_code == 2
    assert "and 1,000 are free: make room" in full.stderr
    nothing = arena("db", "stats", "--db", tmp_path / "none.db")
    assert (nothing.exit_code, "there is no database at" in nothing.stderr) == (2, True)
