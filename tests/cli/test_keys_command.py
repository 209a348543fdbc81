"""`arena keys`: what a stranger's file would send elsewhere is asked for, by a command to type."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.cli.commands import TOURNAMENT, Arena

KEY = "hunter2-hunter2-hunter2"


def test_a_key_is_sent_to_a_host_only_after_it_was_allowed(
    arena: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    file = tmp_path / "stranger.yaml"
    where = (
        "litellm_model: openai/x, api_base: 'http://127.0.0.1:1/v1', api_key_env: OPENAI_API_KEY"
    )
    file.write_text(TOURNAMENT.replace("litellm_model: scripted/random", where))
    db = tmp_path / "arena.db"

    refused = arena("run", file, "--db", db)
    assert refused.exit_code == 2
    assert (
        "stranger.yaml:8: model 'random' would send the value of OPENAI_API_KEY" in refused.stderr
    )
    assert arena("run", file, "--dry-run", "--db", db).exit_code == 2
    assert not db.exists()

    command = shlex.split(refused.stderr.rpartition("arena ")[2])
    assert command == ["keys", "add", "OPENAI_API_KEY", "127.0.0.1:1"]
    asked = arena(*command)
    assert asked.exit_code == 2
    assert "add --yes" in asked.stderr
    assert arena(*command, "--yes").exit_code == 0
    assert "127.0.0.1:1" in arena("keys", "list").stdout
    assert "OPENAI_API_KEY" in arena("keys", "list", "--json").stdout
    assert arena("run", file, "--dry-run", "--db", db).exit_code == 0

    assert arena("keys", "delete", *command[2:]).exit_code == 0
    assert arena("keys", "delete", *command[2:]).exit_code == 2
    assert arena("run", file, "--dry-run", "--db", db).exit_code == 2


def test_a_key_in_the_place_of_its_variable_is_not_repeated(arena: Arena) -> None:
    refused = arena("keys", "add", KEY, "host", "--yes")
    assert refused.exit_code == 2
    assert KEY not in refused.stderr
    assert arena("keys", "add", "A_KEY", "no host", "--yes").exit_code == 2
