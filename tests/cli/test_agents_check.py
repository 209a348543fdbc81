"""`arena agents check`: a program is asked turns of games that nobody plays."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from arena.llm.programs import allow_program
from tests.cli.commands import Arena
from tests.remote.test_remote_games import TOURNAMENT
from tests.servers.programs import CLIENTS, ProgramServer, legal


@pytest.fixture
def db(arena: Arena, tmp_path: Path) -> str:
    """A catalogue with a prompt."""
    found = str(tmp_path / "mine.db")
    arena("prompts", "add", "plain", "--text", "Be brief.", "--db", found)
    return found


def added(arena: Arena, db: str, litellm_model: str, *how: str) -> None:
    model = ("models", "add", "bob", litellm_model, *how, "--db", db)
    agent = ("agents", "add", "Bob", "--model", "bob", "--prompt", "plain", "--db", db)
    for command in (model, agent):
        done = arena(*command)
        assert done.exit_code == 0, done.stderr


def test_a_program_that_is_called_is_checked(arena: Arena, db: str) -> None:
    def confused(message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] == "hello":
            return {"type": "hello", "protocol": 1, "name": "bob", "version": "1"}
        return {"type": "act", "turn": message["turn"], "action": 4}

    with ProgramServer(legal) as server:
        added(arena, db, "remote/bob@1", "--provider", "remote", "--api-base", server.url)
        done = arena("agents", "check", "Bob", "--db", db)
        wrong = ProgramServer(answer=confused)
    assert (done.exit_code, done.stdout.strip()) == (0, "bob@1 keeps the protocol")

    gone = arena("agents", "check", "Bob", "--db", db)
    assert gone.exit_code == 1
    assert "it cannot be played: " in gone.stderr

    with wrong:
        edited = arena("models", "edit", "bob", "--api-base", wrong.url, "--db", db)
        assert edited.exit_code == 0, edited.stderr
        done = arena("agents", "check", "Bob", "--db", db)
    assert done.exit_code == 1
    assert "its action is '4'; expected a string" in done.stderr


def test_a_program_that_is_started_is_checked_once_it_is_allowed(
    arena: Arena, db: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(CLIENTS)
    command = [sys.executable, "arena_remote.py", "--stdio"]
    allow_program(command)
    how = ("--provider", "remote", "--param", f"command={json.dumps(command)}")
    added(arena, db, "remote/first-option@1", *how)

    done = arena("agents", "check", "Bob", "--db", db)

    assert (done.exit_code, done.stdout.strip()) == (0, "first-option@1 keeps the protocol")


def test_a_program_of_a_tournament_file_is_checked(arena: Arena, tmp_path: Path) -> None:
    def confused(message: dict[str, Any]) -> dict[str, Any]:
        return {"type": "hello", "protocol": 1, "name": "bob", "version": 3}

    def told(server: ProgramServer, *how: str) -> Any:
        text = TOURNAMENT.format(url=server.url, executor="local", games=2, timeout=20)
        (tmp_path / "away.yaml").write_text(text, "utf-8")
        return arena("agents", "check", "Bob", "--file", str(tmp_path / "away.yaml"), *how)

    with ProgramServer(legal) as server:
        done = told(server)
        as_json = told(server, "--json")
        unknown = arena("agents", "check", "Bobby", "--file", str(tmp_path / "away.yaml"))
    assert (done.exit_code, done.stdout.strip()) == (0, "bob@1 keeps the protocol")
    found = json.loads(as_json.stdout)
    assert (found["program"], found["keeps"], found["error"]) == ("bob@1", True, None)
    assert (unknown.exit_code, "expected one of Ann, Bob" in unknown.stderr) == (2, True)
    with ProgramServer(answer=confused) as server:
        done = told(server, "--json")
    assert done.exit_code == 1
    assert not json.loads(done.stdout)["keeps"]
    assert not (tmp_path / "arena.db").exists()


def test_a_model_that_is_no_program_is_refused(arena: Arena, db: str) -> None:
    added(arena, db, "scripted/random")

    done = arena("agents", "check", "Bob", "--db", db)

    assert done.exit_code == 2
    assert "expected one with `provider: remote`" in done.stderr
