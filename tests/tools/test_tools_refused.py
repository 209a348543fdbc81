"""Agents with tools that could never use them are refused before anything is played."""

from __future__ import annotations

import pytest

from arena.config import loads
from arena.core import UsageError
from arena.orchestrator.preflight import prepare
from tests.cli.commands import run_arena as arena

TOURNAMENT = """
name: refused
environment: {{name: TicTacToe-v0, players: 2}}
games: 1
matchmaker: {{name: round-robin}}
models:
  - {{name: far, litellm_model: {model}, params: {params}}}
  - {{name: near, litellm_model: scripted/random}}
prompts: [{{name: plain, text: "Play."}}, {{name: calm, text: "Stay calm."}}]
agents:
  - {{name: Ann, kind: {kind}, model: {mine}, prompt: plain, tools: [notes], options: {options}}}
  - {{name: Bob, model: far, prompt: calm}}
"""
THINKS = "{thinking: {type: enabled, budget_tokens: 1024}, max_tokens: 2000}"


def checked(
    model: str = "openai/gpt-4o",
    params: str = "{}",
    options: str = "{}",
    kind: str = "thinking",
    mine: str = "far",
) -> None:
    written = TOURNAMENT.format(model=model, params=params, options=options, kind=kind, mine=mine)
    prepare(loads(written, source="refused.yaml"))


def test_a_model_whose_provider_takes_no_tools() -> None:
    with pytest.raises(UsageError, match=r"'far' .* its provider takes none, says LiteLLM: give"):
        checked("perplexity/sonar")
    checked("perplexity/sonar", mine="near")


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("anthropic/claude-sonnet-4-20250514", THINKS),
        ("anthropic/claude-sonnet-4-20250514", "{reasoning_effort: low}"),
        ("bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", THINKS),
    ],
)
def test_claude_that_thinks_has_tools(model: str, params: str) -> None:
    checked(model, params)


def test_others_that_think_have_tools() -> None:
    checked("anthropic/claude-sonnet-4-20250514", "{max_tokens: 2000}")
    checked("anthropic/claude-sonnet-4-20250514", "{thinking: {type: disabled}}")
    checked("gemini/gemini-2.5-flash", "{reasoning_effort: low}")


@pytest.mark.parametrize("kind", ["thinking", "remembering", "reviewing", "sampling", "believing"])
def test_answers_that_the_provider_holds_to_a_form(kind: str) -> None:
    with pytest.raises(UsageError, match=r"'Ann' has tools and answers in a form .*`answer: tool`"):
        checked(options="{answer: json}", kind=kind)
    checked(options="{answer: tool}", kind=kind)


def test_an_agent_of_the_catalogue_is_refused_too(sqlite_url: str) -> None:
    arena("models", "add", "quick", "scripted/mafia-diligent", "--db", sqlite_url)
    arena("prompts", "add", "plain", "--text", "Play.", "--db", sqlite_url)
    like = ("--model", "quick", "--prompt", "plain", "--db", sqlite_url)
    added = arena("agents", "add", "ann", *like, "--tool", "notes", "--option", "answer=json")

    assert (added.exit_code, "has tools and answers in a form" in added.stderr) == (2, True)
