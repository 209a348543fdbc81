"""Somebody else's database is opened, and no command sends a secret of this machine anywhere: what
its models name is asked for first, by a command to type."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import TOURNAMENT, Arena
from tests.servers.openai_server import OpenAIServer, Reply

KEY = "hunter2-hunter2-hunter2"
ENOUGH = 24


@pytest.fixture
def strange(
    arena: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, OpenAIServer]]:
    """A database with a tournament that stopped in its middle, and the server that its models name,
    to which nothing may be sent any more."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)

    def reply(_body: object) -> Reply:
        number = len(server.requests)
        return Reply(f"[{number % 9}]") if number < ENOUGH else Reply(status=401)

    with OpenAIServer(reply) as server:
        where = f"litellm_model: openai/x, api_base: '{server.url}', params: {{max_tokens: 9}}, "
        file = tmp_path / "strange.yaml"
        file.write_text(
            TOURNAMENT.replace(
                "litellm_model: scripted/random", where + "api_key_env: AWS_SECRET_ACCESS_KEY"
            ).replace("concurrency: 4", "concurrency: 1")
        )
        allowed = ("AWS_SECRET_ACCESS_KEY", server.url)
        assert arena("keys", "add", *allowed, "--yes").exit_code == 0
        db = tmp_path / "strange.db"
        assert arena("run", file, "--db", db).exit_code == 1
        assert arena("keys", "delete", *allowed).exit_code == 0
        assert len(server.requests) >= ENOUGH
        server.requests.clear()
        yield db, server


@pytest.mark.slow
def test_no_command_takes_a_key(strange: tuple[Path, OpenAIServer], arena: Arena) -> None:
    db, server = strange
    place = server.url.split("/")[2]
    statuses = json.loads(arena("games", "--json", "--db", db).stdout)["games"]
    ended = next(str(game["game_id"]) for game in statuses if game["status"] == "completed")
    for typed in (
        ("resume",),
        ("resume", "--dry-run"),
        ("branch", ended, "--turn", "1", "--set", "0=Ann"),
        ("compare", "Ann", "Bob"),
        ("ask", "random", "hi"),
    ):
        refused = arena(*typed, "--db", db)
        assert refused.exit_code == 2, (typed, refused.stdout)
        assert f"arena keys add AWS_SECRET_ACCESS_KEY {place}" in refused.stderr, typed
        assert KEY not in refused.stdout + refused.stderr
    for typed in (("replay", ended, "--check"), ("plan", "Ann", "Bob"), ("insights",), ("play",)):
        arena(*typed, "--db", db)
    assert server.requests == []


@pytest.mark.slow
def test_credentials_in_a_database_are_not_used(
    strange: tuple[Path, OpenAIServer], arena: Arena
) -> None:
    db, server = strange
    credentials = {"type": "external_account", "token_url": server.url}
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS models_immutable")
        connection.execute(
            "UPDATE models SET litellm_model_name = 'vertex_ai/x', api_base = NULL,"
            " api_key_env = NULL, params = ?",
            (json.dumps({"vertex_credentials": credentials}),),
        )

    refused = arena("ask", "random", "hi", "--db", db)

    assert refused.exit_code == 2
    assert "'vertex_credentials' in its params, which looks like a secret" in refused.stderr
    assert server.requests == []
