"""`arena doctor` says what is as it should be, and what is not with what to type."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from arena.doctor.databases import of_database
from db import get_session
from db.maintenance import condition
from tests.cli.commands import TOURNAMENT, run_arena
from tests.db.tournaments import tournament
from tests.strangers import Install, install

__all__ = ["install"]
KEY = "hunter2-hunter2-hunter2"


def doctor(*arguments: str | Path) -> dict[str, dict[str, Any]]:
    result = run_arena("doctor", *arguments, "--json")
    said = json.loads(result.stdout)
    assert said["ready"] is (result.exit_code == 0)
    assert KEY not in result.output
    return {each["subject"]: each for each in said["diagnoses"]}


def test_a_machine_on_which_everything_is_ready(sqlite_url: str) -> None:
    found = doctor("--db", sqlite_url)

    wanted = {
        "database", "tables", "disk", "clock", "Python", "time", "open files", "memory", "plug-ins",
        "extras", "keys",
    }  # fmt: skip
    assert wanted <= {*found}
    assert {each["state"] for each in found.values()} <= {"ok", "warning"}
    assert found["tables"]["found"].endswith("that of this release")


def test_a_file_is_looked_at_with_its_keys_and_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        here = f"127.0.0.1:{listening.getsockname()[1]}"
        models = (
            f"  - {{name: here, litellm_model: openai/x, api_base: 'http://{here}/v1', "
            "api_key_env: TEST_KEY}\n"
            "  - {name: gone, litellm_model: openai/x, api_base: 'http://127.0.0.1:1/v1', "
            "api_key_env: TEST_KEY}\n"
            "  - {name: keyless, litellm_model: openai/x, api_key_env: MY_OPENAI_KEY}\n"
            "  - {name: strange, litellm_model: openai/x, api_base: 'https://evil.example/v1', "
            "api_key_env: TEST_KEY}\n"
        )
        file = tmp_path / "t.yaml"
        file.write_text(TOURNAMENT.replace("models:\n", f"models:\n{models}"))
        monkeypatch.setenv("TEST_KEY", KEY)
        monkeypatch.delenv("MY_OPENAI_KEY", raising=False)

        offline = doctor(file, "--db", tmp_path / "none.db")
        online = doctor(file, "--db", tmp_path / "none.db", "--online")

    assert offline["model here"]["found"].startswith("key in TEST_KEY; calls go to 127.0.0.1:")
    assert offline["model gone"]["state"] == "ok"
    assert offline["model random"]["found"] == "answers within this process, without a key"
    assert (online["model here"]["state"], online["model gone"]["state"]) == ("ok", "wrong")
    assert "cannot be reached" in online["model gone"]["found"]
    for found in (offline, online):
        assert found["model keyless"]["advice"] == "export MY_OPENAI_KEY=..."
        assert found["model strange"]["advice"] == "arena keys add TEST_KEY evil.example"
    assert not (tmp_path / "none.db").exists()


def test_what_is_wrong_with_a_file_of_the_database(sqlite_url: str, tmp_path: Path) -> None:
    path = Path(str(make_url(sqlite_url).database))

    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        locked = {each.subject: each for each in of_database(str(path))}
        assert (locked["database"].state, "locked" in locked["database"].found) == ("wrong", True)
        other.execute("ROLLBACK")
        other.execute("UPDATE alembic_version SET version_num = '0001'")
        other.commit()
        old = {each.subject: each for each in of_database(str(path))}
        assert (old["tables"].state, old["tables"].advice) == ("wrong", "arena db upgrade")

    (tmp_path / "none").write_text("no database at all, and long enough to be looked at as one")
    (only,) = of_database(str(tmp_path / "none"))
    assert (only.state, "is not an SQLite database" in only.found) == ("wrong", True)
    (only,) = of_database("postgresql://me@127.0.0.1:1/x")
    assert "cannot be reached" in only.found


def test_a_server_says_its_clock_and_its_connection(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {each.subject: each for each in of_database(postgresql_url)}
    assert found["database"].found.partition(" on PostgreSQL ")[2][:1].isdigit()
    assert found["clock"].found == "that of the database's server"
    assert (found["connection"].state, "on this machine" in found["connection"].found) == (
        "ok",
        True,
    )

    # The clock of this machine goes wrong.
    real = condition.datetime

    class Late(real):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return real.fromtimestamp(real.now(tz).timestamp() - 3600, tz)

    monkeypatch.setattr(condition, "datetime", Late)
    late = {each.subject: each for each in of_database(postgresql_url)}
    assert late["clock"].state == "wrong"
    assert late["clock"].found == "3,600 s behind that of the database's server"


def test_a_record_from_the_future_tells_of_a_wrong_clock(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        session.execute(text("UPDATE tournaments SET created_at = '2099-01-02 03:04:05.000000'"))
        session.commit()

    found = {each.subject: each for each in of_database(database_url)}

    assert found["clock"].state == "wrong"
    assert found["clock"].found.startswith("the newest tournament is of 2099-01-02 03:04:05 UTC")
    assert "timedatectl" in str(found["clock"].advice)


def test_a_plug_in_that_does_not_load_is_named(install: Install, sqlite_url: str) -> None:
    install("raise OSError('it is torn')", {"readers": {"torn": "read"}})

    found = doctor("--db", sqlite_url)

    assert found["plug-in"]["state"] == "wrong"
    assert "reader 'torn'" in found["plug-in"]["found"]
    assert "it is torn" in found["plug-in"]["found"]
