"""`api_key_file`: a key from a file that is its owner's alone, sent where the user allowed it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest

from arena.config import loads
from arena.core import ConfigError, ModelSpec, UsageError
from arena.llm.key_files import read_key
from arena.llm.secrets import key_of, secrets_of
from db import Database
from db.models import Model
from tests.cli.commands import TOURNAMENT, Arena, run_arena
from tests.servers.openai_server import OpenAIServer

KEY = "sesame-sesame-sesame-42"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "the key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    return file


def test_a_key_is_read_anew_each_time_and_without_its_line_break(key_file: Path) -> None:
    model = ModelSpec("m", "openai/x", api_key_file=str(key_file))
    assert key_of(model) == KEY
    assert secrets_of(model) == (KEY,)
    key_file.write_text("another-key-altogether")
    assert key_of(model) == "another-key-altogether"


@pytest.mark.skipif(os.name == "nt", reason="needs modes of POSIX")
def test_what_is_no_file_of_ones_own_with_a_key_is_refused_and_not_repeated(
    key_file: Path, tmp_path: Path
) -> None:
    def said(path: Path) -> str:
        with pytest.raises(UsageError) as caught:
            read_key(str(path), "model 'm'")
        assert KEY not in str(caught.value)
        return str(caught.value)

    for mode in (0o640, 0o604, 0o620, 0o602):
        key_file.chmod(mode)
        assert f"mode {mode:o}); type: chmod 600 {shlex.quote(str(key_file))}" in said(key_file)
    key_file.chmod(0o600)
    for held in (b"", b"\n", f"{KEY} {KEY}".encode(), f"{KEY}\n{KEY}".encode(), b"\xff\x00" * 9):
        key_file.write_bytes(held)
        assert "expected the key alone, in one line" in said(key_file)
    key_file.write_bytes(b"x" * 20_000)
    assert "holds none" in said(key_file)
    assert "Is a directory" in said(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "no plain file" in said(pipe)
    assert "No such file" in said(tmp_path / "nothing")


def test_a_file_is_read_only_after_it_was_allowed_and_its_key_is_on_no_record(
    key_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    arena: Arena = run_arena
    with OpenAIServer() as server:
        where = (
            f"litellm_model: openai/x, api_base: '{server.url}', api_key_file: '{key_file}', "
            "input_price: 0, output_price: 0"
        )
        file = tmp_path / "stranger.yaml"
        file.write_text(TOURNAMENT.replace("litellm_model: scripted/random", where))
        db = tmp_path / "arena.db"

        refused = arena("run", file, "--db", db)
        assert refused.exit_code == 2
        assert "model 'random' would read" in refused.stderr
        assert not db.exists()
        command = shlex.split(refused.stderr.rpartition("arena ")[2])
        assert command[:3] == ["keys", "add", str(key_file)]
        assert arena(*command, "--yes").exit_code == 0

        played = arena("run", file, "--games", "1", "--db", db)
        assert played.exit_code in (0, 1), played.stderr
        sent = {request.headers["Authorization"] for request in server.requests}
    assert sent == {f"Bearer {KEY}"}
    assert KEY not in played.output
    assert KEY.encode() not in db.read_bytes()
    with Database(db) as database, database.session() as session:
        assert session.get_one(Model, 1).api_key_file == str(key_file)

    key_file.chmod(0o644)
    late = arena("resume", "--db", db)
    assert (late.exit_code, "chmod 600" in late.stderr) == (2, True)


def test_a_file_of_a_tournament_says_one_place_by_its_whole_path() -> None:
    for written, why in (
        ("api_key_file: key.txt", "expected the whole path of a file"),
        ("api_key_file: /home/../etc/shadow", "expected the whole path of a file"),
        ("api_key_file: /k, api_key_env: A_KEY", "expected either"),
    ):
        with pytest.raises(ConfigError, match=why):
            loads(TOURNAMENT.replace("scripted/random", f"scripted/random, {written}"))


def test_a_model_of_the_catalogue_changes_from_a_variable_to_a_file(
    key_file: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def typed(*words: str) -> None:
        result = run_arena(*words, "--db", sqlite_url)
        assert result.exit_code == 0, result.stderr

    assert run_arena("keys", "add", str(key_file), "openai", "--yes").exit_code == 0
    typed("models", "add", "m", "openai/gpt-4o-mini", "--api-key-env", "OPENAI_API_KEY")
    typed("models", "edit", "m", "--api-key-file", str(key_file))
    with Database(sqlite_url) as database, database.session() as session:
        row = session.get_one(Model, 1)
        assert (row.api_key_env, row.api_key_file) == (None, str(key_file))
