"""`arena db roles` on a real server: each role does its work, and is refused everything else."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import connect
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from arena.analysis import games_df, turns_df
from db import Database, DatabaseError
from db.maintenance.roles import Roles, role_statements
from db.urls import resolve_url
from tests.cli.commands import TOURNAMENT, run_arena
from tests.viewer.browser import browsing


@pytest.fixture
def roles(postgresql_url: str, postgresql: str) -> Iterator[dict[str, str]]:
    """The URLs of a database by role, after the statements were run twice by an administrator."""
    mark = uuid.uuid4().hex[:8]
    names = {role: f"{role}_{mark}" for role in ("owner", "writer", "reader")}
    administrator = make_url(postgresql_url)
    with connect(postgresql_url, autocommit=True) as server:
        for _ in range(2):
            for statement in role_statements(str(administrator.database), roles=Roles(**names)):
                server.execute(statement.encode())
    yield {
        role: administrator.set(username=name).render_as_string(hide_password=False)
        for role, name in names.items()
    }
    with connect(postgresql_url, autocommit=True) as server:
        for name in names.values():
            server.execute(f"DROP OWNED BY {name} CASCADE".encode())
            server.execute(f"DROP ROLE {name}".encode())


def refused(url: str, statement: str) -> str:
    with (
        Database(url) as database,
        pytest.raises((DatabaseError, ProgrammingError)) as caught,
        database.session(create=False) as session,
    ):
        session.execute(text(statement))
    return str(caught.value)


@pytest.mark.usefixtures("postgresql_client")
def test_each_role_does_its_work_and_nothing_else(roles: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(TOURNAMENT)

    def typed(role: str, *arguments: str | Path) -> Any:
        return run_arena(*arguments, "--db", roles[role])

    # The writer runs a tournament, and changes and removes none of its facts that are only added.
    played = typed("writer", "run", file)
    assert played.exit_code == 0, played.stderr
    assert typed("writer", "search", "player").exit_code in (0, 1)
    for statement in (
        "DROP TABLE games",
        "ALTER TABLE games ADD COLUMN mine integer",
        "CREATE TABLE mine (id integer)",
        "TRUNCATE game_turns",
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM game_states",
        "DELETE FROM execution_logs",
        "UPDATE alembic_version SET version_num = '0001'",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    ):
        assert "must be owner" in (said := refused(roles["writer"], statement)) or (
            "permission denied" in said
        ), statement

    # The reader opens boards, frames and pages.
    board = typed("reader", "leaderboard")
    assert (board.exit_code, "Ann" in board.stdout) == (0, True), board.stderr
    assert len(games_df(roles["reader"])) == 6
    assert len(turns_df(roles["reader"])) > 6
    assert typed("reader", "search", "player").exit_code in (0, 1)
    kept = typed("reader", "db", "backup", "--to", tmp_path)
    assert (kept.exit_code, len([*tmp_path.glob("*.dump")])) == (0, 1), kept.stderr
    with browsing(roles["reader"]) as get:
        for path in ("/", "/games", "/game/1", "/tournaments", "/agents", "/search?words=player"):
            assert get(path).status_code == 200, path

    # It is refused whatever would write, in a sentence.
    for arguments in (("run", file), ("resume", "small"), ("annotate", "1", "--rating", "3")):
        said = typed("reader", *arguments)
        assert said.exit_code == 2, (arguments, said.stderr)
        assert "may not be written" in said.stderr
        assert "Traceback" not in said.stderr
        assert len([line for line in said.stderr.splitlines() if "error:" in line]) == 1
    for statement in ("DELETE FROM games", "CREATE TEMP TABLE mine (id integer)"):
        refused(roles["reader"], f"SET TRANSACTION READ WRITE; {statement}")
    doctored = run_arena("doctor", "--db", roles["reader"])
    assert doctored.exit_code == 1
    assert "read" in doctored.stdout

    # The owner changes the tables.
    down = typed("owner", "db", "downgrade", "0029", "--yes", "--no-backup")
    assert down.exit_code == 0, down.stderr
    up = typed("owner", "db", "upgrade", "--no-backup")
    assert up.exit_code == 0, up.stderr
    # What a migration has made is the other roles' as before.
    assert typed("reader", "games").exit_code == 0
    assert typed("writer", "resume", "small", "--games", "1").exit_code == 0


def test_a_role_that_may_not_prune_is_told_before_anything_is_moved(
    roles: dict[str, str], tmp_path: Path
) -> None:
    file, policy, folder = tmp_path / "small.yaml", tmp_path / "keep.yaml", tmp_path / "archived"
    file.write_text(TOURNAMENT)
    assert run_arena("run", file, "--db", roles["writer"]).exit_code == 0

    def prune(role: str, written: str) -> Any:
        policy.write_text(written)
        asked = ("db", "prune", "--policy", policy, "--folder", folder, "--yes")
        return run_arena(*asked, "--db", roles[role])

    for role, written, what in (
        ("reader", "transcripts: 0", "may not INSERT rows of archived_games (the transcripts of"),
        ("writer", "{transcripts: 0, logs: 0}", "may not DELETE rows of execution_logs (the logs"),
    ):
        refused_to = prune(role, written)
        assert (refused_to.exit_code, what in refused_to.stderr) == (2, True), refused_to.stderr
        assert f"do it as {make_url(roles['owner']).username}" in refused_to.stderr
        assert "nothing was taken out" in refused_to.stderr
        assert not folder.exists()
    # With nothing of it to remove, the right to is not asked for.
    archived = prune("writer", "{transcripts: 0, logs: never}")
    assert (archived.exit_code, "archived 6 games" in archived.stderr) == (0, True)
    assert run_arena("search", "player", "--db", roles["writer"]).exit_code in (0, 1)

    back = run_arena("db", "prune", "--undo", "--db", roles["reader"])
    assert back.exit_code == 2
    assert "may not be written" in back.stderr
    assert len(back.stderr.splitlines()) == 1
    undone = run_arena("db", "prune", "--undo", "--db", roles["owner"])
    assert (undone.exit_code, "of 6 games" in undone.stdout) == (0, True), undone.stderr
    assert prune("owner", "{transcripts: 0, logs: 0}").exit_code == 0


def test_the_driver_adds_nothing_to_what_is_said(
    postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    many = [{"id": number, "name": "x"} for number in range(3_000)]

    def write(session: Session) -> None:
        session.execute(text("SET TRANSACTION READ ONLY"))
        session.execute(text("UPDATE models SET name = :name WHERE id = :id"), many)

    with (
        Database(postgresql_url) as database,
        pytest.raises(DatabaseError, match="may not be written"),
        database.session(create=False) as session,
    ):
        write(session)
    assert [each.getMessage() for each in caplog.records if each.name == "psycopg"] == []


def test_names_that_are_not_plain_and_files_are_refused(tmp_path: Path) -> None:
    for names in ({"owner": 'a"b'}, {"owner": "x; DROP"}, {"owner": "arena_writer"}):
        with pytest.raises(DatabaseError, match="expected"):
            role_statements("x", roles=Roles(**names))
    with pytest.raises(DatabaseError, match="expected"):
        role_statements("x", "x; DROP")
    refused_file = run_arena("db", "roles", "--db", tmp_path / "a.db")
    assert refused_file.exit_code == 2
    assert "is a file, which has no roles" in refused_file.stderr
    printed = run_arena("db", "roles", "--db", "postgresql://me:hunter2@127.0.0.1/cups", "--json")
    assert printed.exit_code == 0
    assert "hunter2" not in printed.output
    assert json.loads(printed.stdout)["statements"][4].startswith(
        'GRANT CONNECT ON DATABASE "cups"'
    )
    assert "they were not seen: " in printed.stderr
    nameless = run_arena("db", "roles", "--db", "postgresql://me@127.0.0.1")
    assert (nameless.exit_code, nameless.stdout) == (2, "")
    assert "names no database: expected postgresql://USER@HOST/NAME" in nameless.stderr
    asked = run_arena("db", "roles", "--db", "postgresql://me@127.0.0.1?dbname=cups")
    assert 'GRANT CONNECT ON DATABASE "cups"' in asked.stdout


def test_the_sslmode_of_a_url_is_heeded(postgresql_url: str) -> None:
    # The server of these tests has no TLS: asked for, it is not done without.
    url = make_url(postgresql_url)
    host = url.query.get("host", url.host)
    strict = url.update_query_dict({"sslmode": "require"})
    with Database(strict) as database:
        assert database.url.query["sslmode"] == "require"
        if not str(host).startswith("/"):
            with pytest.raises(DatabaseError, match="SSL"):
                database.check()
    assert resolve_url(strict).query["sslmode"] == "require"
