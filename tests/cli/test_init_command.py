"""`arena init` writes a file that can be planned and run, and replaces none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from arena.config import load
from tests.cli.commands import Arena


def test_without_options_it_writes_what_can_be_planned_and_played(
    arena: Arena, tmp_path: Path
) -> None:
    file = tmp_path / "mine.yaml"
    result = arena("init", file)

    assert result.exit_code == 0, result.stderr
    assert f"wrote {file}; see what it would play: arena run {file} --dry-run" in result.stderr
    config = load(file)
    assert (config.name, config.environment.name) == ("mine", "SecretMafia-v0-mended")
    assert [agent.name for agent in config.agents] == [
        "thinking/mafia-naive/plain",
        "thinking/mafia-sharp/plain",
        "remembering/mafia-naive/plain",
        "remembering/mafia-sharp/plain",
    ]
    assert "# budget: 5 # most dollars to spend" in file.read_text()
    planned = arena("plan", file, "--db", tmp_path / "none.db")
    assert planned.exit_code == 0, planned.stderr

    before = file.read_bytes()
    again = arena("init", file, "--environment", "TicTacToe-v0")
    assert again.exit_code == 2
    assert f"{file} is there already, and stays as it is: name another file" in again.stderr
    assert file.read_bytes() == before


def test_options_say_what_is_in_it(arena: Arena, tmp_path: Path) -> None:
    file = tmp_path / "board: one.yaml"
    typed = ("--environment", "TicTacToe-v0", "--games", "20", "--budget", "2.5", "--kind")
    models = ("--model", "openai/gpt-4o-mini", "--model", "openrouter/openai/gpt-4o-mini")
    result = arena("init", file, *typed, "thinking", *models)

    assert result.exit_code == 0, result.stderr
    config = load(file)
    assert (config.name, config.games, config.budget) == ("board: one", 20, 2.5)
    assert [model.name for model in config.models] == [model for model in models if "/" in model]
    assert [model.params for model in config.models] == [{"max_tokens": 400}] * 2
    assert config.environment.players == 2
    assert config.matchmaker.options == {}


@pytest.mark.parametrize(
    ("typed", "models", "judge"),
    [
        ((), ["scenario-fair", "scenario-firm", "scenario-referee"], "scenario-referee"),
        (("--model", "openai/gpt-4o-mini"), ["gpt-4o-mini"], "gpt-4o-mini"),
    ],
)
def test_rules_that_ask_a_referee_get_one(
    arena: Arena, tmp_path: Path, typed: tuple[str, ...], models: list[str], judge: str
) -> None:
    file = tmp_path / "trial.yaml"
    result = arena("init", file, "--environment", "scenario-courtroom", *typed, "--games", "2")

    assert result.exit_code == 0, result.stderr
    config = load(file)
    assert [model.name for model in config.models] == models
    assert config.environment.referee is not None
    assert (config.environment.referee.model, config.environment.referee.prompt) == (
        judge,
        "referee",
    )
    if not typed:
        played = arena("run", file, "--db", tmp_path / "trial.db")
        assert played.exit_code == 0, played.stderr


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("mine.txt", (), "expected a name that ends in .yaml"),
        ("none/mine.yaml", (), "no such folder"),
        ("mine.yaml", ("--environment", "TicTacTo-v0"), "did you mean 'TicTacToe-v0'?"),
        (
            "mine.yaml",
            ("--model", "scripted/rndom"),
            "mine.yaml is not written: unknown scripted model 'rndom'; did you mean 'random'?",
        ),
        (
            "mine.yaml",
            ("--kind", "thinkin"),
            "mine.yaml is not written: unknown kind 'thinkin'; did you mean 'thinking'?",
        ),
        ("mine.yaml", ("--players", "3"), "is played by 6 to 15 players, found players: 3"),
        ("mine.yaml", ("--model", "sk-aaaaaaaaaaaaaaaaaaaa"), "looks like a secret"),
    ],
)
def test_what_cannot_be_written_is_one_message_and_no_file(
    arena: Arena, tmp_path: Path, name: str, typed: tuple[str, ...], said: str
) -> None:
    result = arena("init", tmp_path / name, *typed)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.slow
def test_in_a_terminal_it_asks(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "arena.cli", "init", "asked.yaml"],
        cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs,
    ) as asked:  # fmt: skip
        os.close(theirs)
        os.write(ours, b"TicTacToe-v0\n\n30\n")
        said = b""
        try:
            while chunk := os.read(ours, 1024):
                said += chunk
        except OSError:
            # The other end is closed.
            pass
    os.close(ours)

    assert asked.returncode == 0, said
    assert b"What is played" in said
    assert b"[scripted/random]" in said
    config = load(tmp_path / "asked.yaml")
    assert (config.environment.name, config.games) == ("TicTacToe-v0", 30)
    assert [model.litellm_model for model in config.models] == ["scripted/random"]
