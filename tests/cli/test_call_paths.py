"""Which way a model's calls take is said before any is sent: of a model, of a run, and in a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena.cli.call_paths import paths_of
from arena.core import ModelSpec
from tests.cli.commands import Arena
from tests.servers.openai_server import OpenAIServer

pytestmark = pytest.mark.slow

TOURNAMENT = """\
name: two-ways
seed: 3
environment: {{name: TicTacToe-v0, players: 2}}
games: 1
models:
  - {{name: plain, litellm_model: openai/gpt-4o-mini, api_base: "{url}"}}
  - {{name: rewritten, litellm_model: openai/o3-mini, api_base: "{url}"}}
  - {{name: scripted, litellm_model: scripted/random}}
prompts: [{{name: plain, text: Play.}}]
agents:
  - {{name: Ann, model: plain, prompt: plain}}
  - {{name: Bob, model: rewritten, prompt: plain}}
  - {{name: Cy, model: scripted, prompt: plain}}
matchmaker: {{name: round-robin}}
"""


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_a_model_says_its_path_and_why_without_a_key(arena: Arena, tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    for name, model in (
        ("plain", "openai/gpt-4o-mini"),
        ("careful", "mistral/mistral-small-latest"),
        ("rewritten", "openai/o3-mini"),
        ("random", "scripted/random"),
    ):
        arena("models", "add", name, model, "--db", db)

    def shown(name: str) -> str:
        return arena("models", "show", name, "--db", db).stdout

    lean = "calls take the lean path to https://api.openai.com/v1/chat/completions: "
    assert lean in shown("plain")
    assert "but for a conversation with an empty message" in shown("careful")
    rewritten = "LiteLLM rewrites messages for its provider"
    assert f"calls go through LiteLLM: {rewritten}" in shown("rewritten")
    assert "calls go through LiteLLM: a scripted model answers within this process" in shown(
        "random"
    )
    profile = json.loads(arena("models", "show", "rewritten", "--db", db, "--json").stdout)
    assert profile["model"]["profile"]["path"] == {
        "lean": False,
        "why": rewritten,
        "address": None,
    }


def test_a_dry_run_and_a_run_say_which_models_are_asked_through_litellm(
    arena: Arena, tmp_path: Path
) -> None:
    config, db = tmp_path / "two-ways.yaml", tmp_path / "two-ways.db"
    with OpenAIServer(["[0]"]) as server:
        config.write_text(TOURNAMENT.format(url=server.url))
        planned = arena("run", config, "--db", db, "--dry-run").stdout
        assert not server.requests, "nothing is sent"
        ran = arena("run", config, "--db", db)
    why = "LiteLLM rewrites messages for its provider"
    asked = [line for line in planned.splitlines() if "openai/" in line]
    assert [line.split()[0] for line in asked] == ["plain", "rewritten"]
    assert asked[0].rstrip().endswith(" lean")
    assert asked[1].rstrip().endswith(f"through LiteLLM: {why}")
    said = f"rewritten is asked through LiteLLM, which takes more CPU: {why}"
    assert ran.stderr.count(said) == 1
    assert "plain is asked through" not in ran.stderr


def test_a_conversation_that_is_not_sent_as_it_is_is_said_once() -> None: ...


def test_the_ways_of_no_models_need_no_library() -> None:
    assert paths_of([]) == {}
    [path] = paths_of([ModelSpec("random", "scripted/random")]).values()
    assert not path.lean
