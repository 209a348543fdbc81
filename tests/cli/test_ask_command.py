"""`arena ask` is one call outside any game: recorded, priced, and as careful as those of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import TOURNAMENT, Arena
from tests.servers.openai_server import OpenAIServer, Reply, error

KEY = "sk-secretsecretsecretsecret"
PRICED = "params: {max_tokens: 50}, input_price: 1000, output_price: 2000"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def file_for(tmp_path: Path, server: OpenAIServer, more: str = "") -> Path:
    """The small tournament with a priced model `gpt` of the server's."""
    file = tmp_path / "small.yaml"
    model = f"  - {{name: gpt, litellm_model: openai/x, api_base: '{server.url}', {PRICED}}}\n"
    written = TOURNAMENT.replace("models:\n", f"models:\n{model}")
    file.write_text(written + "llm: {retries: 1}\n" + more)
    return file


def test_a_scripted_model_is_asked_and_both_are_on_record(arena: Arena, database_url: str) -> None:
    result = arena("ask", "scripted/random", "Valid: [1] [2]", "--db", database_url)

    assert (result.exit_code, result.stdout) == (0, "[2]\n")
    assert "scripted/random, answered by random, 4 tokens sent, 1 answered, $0.00" in result.stderr
    assert "call 1 on record" in result.stderr
    piped = arena(
        "ask", "scripted/random", "-", "--db", database_url, "--json", input="Valid: [1] [2]"
    )
    found = json.loads(piped.stdout)
    assert (found["text"], found["prompt"], found["call"]) == ("[2]", "Valid: [1] [2]", 2)

    listed = json.loads(arena("ask", "--list", "--db", database_url, "--json").stdout)["calls"]
    assert [call["text"] for call in listed] == ["[2]", "[2]"]
    rows = arena("ask", "--list", "--db", database_url, "--limit", "1").stdout.splitlines()
    assert len(rows) == 3
    assert "scripted/random" in rows[2]
    assert json.loads(arena("games", "--db", database_url, "--json").stdout)["games"] == []


@pytest.mark.slow
def test_a_model_of_a_file_is_asked_with_its_retries_prices_and_budget(
    arena: Arena, tmp_path: Path
) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    hostile = "\x1b[2Jgone\nsecond"
    with OpenAIServer([Reply(status=500), Reply(hostile, usage=usage)]) as server:
        file, db = file_for(tmp_path, server), tmp_path / "asked.db"
        typed = ("ask", "gpt", "Say hello", "--config", file, "--db", db)
        result = arena(*typed)
        assert result.exit_code == 0, result.stderr
        assert result.stdout == "\\x1b[2Jgone\nsecond\n"
        assert "10 tokens sent, 5 answered, $0.02" in result.stderr
        assert "attempt 2" in result.stderr
        refused = arena(*typed, "--budget", "0.0001")
        assert refused.exit_code == 1
        assert "budget" in refused.stderr
        capped = arena(*typed, "--set", "models.gpt.budget=0.0001")
        assert (capped.exit_code, "budget" in capped.stderr) == (1, True)
        assert len(server.requests) == 2

    calls = json.loads(arena("ask", "--list", "--db", db, "--json").stdout)["calls"]
    assert [(call["attempt"], call["error"] is None) for call in calls] == [(1, True), (0, False)]
    assert calls[0]["cost"] == pytest.approx(0.02)
    assert KEY.encode() not in db.read_bytes()


def test_an_answer_that_does_not_come_is_a_sentence_of_a_run(arena: Arena, tmp_path: Path) -> None:
    with OpenAIServer([error(401, f"Incorrect API key provided: {KEY}")]) as server:
        file, db = file_for(tmp_path, server), tmp_path / "asked.db"
        result = arena("ask", "gpt", "hi", "--config", file, "--db", db)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "gpt" in result.stderr
    assert "Check the key in the variable that the model's `api_key_env` names" in result.stderr
    assert "every attempt is on record: arena ask --list" in result.stderr
    (call,) = json.loads(arena("ask", "--list", "--db", db, "--json").stdout)["calls"]
    assert call["text"] is None
    assert KEY not in result.stderr + json.dumps(call)
    assert KEY.encode() not in db.read_bytes()


def test_a_strangers_database_does_not_take_a_key(
    arena: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET", KEY)
    with OpenAIServer(["hello"]) as server:
        db = tmp_path / "strange.db"
        added = ("models", "add", "local", "openai/x", "--api-base", server.url, "--db", db)
        allowed = ("keys", "add", "AWS_SECRET", server.url, "--yes")
        assert arena(*allowed).exit_code == 0
        assert arena(*added, "--api-key-env", "AWS_SECRET").exit_code == 0
        assert arena("keys", "delete", "AWS_SECRET", server.url).exit_code == 0

        refused = arena("ask", "local", "hi", "--db", db)
        assert refused.exit_code == 2
        assert "arena keys add AWS_SECRET" in refused.stderr
        assert server.requests == []

        arena(*allowed)
        assert arena("ask", "local", "hi", "--db", db).stdout == "hello\n"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((), "expected a model and what to say to it"),
        (("scripted/random",), "expected a model and what to say to it"),
        (("scripted/random", " "), "the prompt is empty"),
        (("scripted/rndom", "hi"), "unknown scripted model 'rndom'; did you mean 'random'?"),
        (("nobody/x", "hi"), "which no provider knows"),
        (("rando", "hi"), "did you mean the model 'random', which is on record?"),
        (("random", "hi", "--param", "temperature=0"), "is defined already, with its own params"),
        (("openai/x", "hi", "--param", "api_key=sk-aaaaaaaaaaaaaaaaaaaa"), "looks like a secret"),
        (("random", "hi", "--set", "games=3"), "--set is for a tournament's file"),
        (("random", "hi", "--config", "quickstar"), "did you mean 'quickstart'"),
        (("random", "--list"), "--list asks nothing"),
        (("random", "hi", "--budget", "0"), "expected dollars above 0"),
    ],
)
def test_what_cannot_be_asked_is_one_message(
    arena: Arena, played: str, typed: tuple[str, ...], said: str
) -> None:
    result = arena("ask", *typed, "--db", played)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert json.loads(arena("ask", "--list", "--db", played, "--json").stdout)["calls"] == []


def test_nothing_is_made_for_a_model_that_cannot_be_asked(
    arena: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    result = arena("ask", "openai/gpt-4o-mini", "hi", "--db", tmp_path / "none.db")

    assert result.exit_code == 2
    assert "type: export OPENAI_API_KEY=" in result.stderr
    assert not (tmp_path / "none.db").exists()
