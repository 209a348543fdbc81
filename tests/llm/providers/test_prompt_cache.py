"""What is to be cached is marked where the provider wants it, on what the next turn repeats."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import registry
from arena.core import Message, ModelSpec
from arena.llm.clearance import LocalClearance
from arena.llm.client import Client
from arena.llm.pacing.limits import Limits
from arena.llm.providers.prompt_cache import marked, wants_marks
from arena.llm.turn import TurnLLM
from tests.llm.test_client import Log
from tests.servers.openai_server import OpenAIServer

MARK = {"type": "ephemeral"}
SYSTEM: Message = {"role": "system", "content": "Win."}
LINES = "".join(f"\n[Player 1] line {n}" for n in range(2000))


def user(text: str) -> Message:
    return {"role": "user", "content": text}


@pytest.mark.parametrize(
    ("provider", "model", "wanted"),
    [
        ("anthropic", "anthropic/claude-sonnet-4-5", True),
        ("bedrock", "bedrock/us.anthropic.claude-sonnet-4-5-v1:0", True),
        ("bedrock", "bedrock/amazon.nova-pro-v1:0", True),
        ("bedrock", "bedrock/meta.llama3-70b", False),
        ("vertex_ai", "vertex_ai/claude-opus-4", True),
        ("vertex_ai", "vertex_ai/gemini-2.5-pro", False),
        ("openrouter", "openrouter/anthropic/claude-sonnet-4", True),
        ("openrouter", "openrouter/google/gemini-2.5-pro", True),
        ("openrouter", "openrouter/openai/gpt-5", False),
        ("gemini", "gemini/gemini-2.5-flash", False),
        ("openai", "openai/gpt-5", False),
        ("deepseek", "deepseek/deepseek-chat", False),
    ],
)
def test_who_wants_marks(provider: str, model: str, wanted: bool) -> None:
    assert wants_marks(provider, model) is wanted


def test_a_chat_is_marked_at_its_end() -> None:
    chat = [SYSTEM, user("rules"), {"role": "assistant", "content": "[1]"}, user("news")]
    before = deepcopy(chat)
    assert marked(chat) == [  # type: ignore[arg-type]
        {"role": "system", "content": [{"type": "text", "text": "Win.", "cache_control": MARK}]},
        user("rules"),
        {"role": "assistant", "content": "[1]"},
        {"role": "user", "content": [{"type": "text", "text": "news", "cache_control": MARK}]},
    ]
    assert chat == before, "what was asked and recorded is left as it is"


def parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


@given(st.integers(0, len(LINES)), st.integers(0, len(LINES)))
def test_the_marked_beginning_of_a_text_that_grows_stays(first: int, second: int) -> None:
    shorter, longer = sorted((LINES[:first], LINES[:second]), key=len)
    [before], [after] = marked([user(shorter)]), marked([user(longer)])
    assert "".join(part["text"] for part in parts(before)) == shorter
    *stable, _ = parts(before)
    assert [part["text"] for part in parts(after)][: len(stable)] == [p["text"] for p in stable]
    marks = [n for n, part in enumerate(parts(before)) if "cache_control" in part]
    assert marks == ([len(stable) - 1] if stable else [])


def test_nothing_is_marked_where_there_is_nothing() -> None:
    assert marked([]) == []
    assert marked([{"role": "system", "content": " "}]) == [{"role": "system", "content": " "}]
    assert marked([user("short")]) == [user("short")]


@pytest.mark.parametrize(
    ("name", "cached", "sent"),
    [
        ("openrouter/anthropic/claude-sonnet-4", True, True),
        ("openrouter/anthropic/claude-sonnet-4", False, False),
        ("openai/gpt-4o-mini", True, False),
    ],
)
def test_the_wire_has_the_marks_and_the_record_the_text(
    name: str, cached: bool, sent: bool
) -> None:
    log = Log()
    with OpenAIServer(["[1]"]) as server:
        client = Client(registry.provider, policy=registry.policy, cached=["m"] if cached else [])
        spec = ModelSpec("m", name, api_base=server.url)

        async def ask() -> None:
            llm = TurnLLM(client, spec, log, clearance=LocalClearance(Limits()))
            await llm.complete([SYSTEM, user(LINES)])
            await client.aclose()

        asyncio.run(ask())
        [request] = server.requests
    [intent] = log.intents
    assert intent.messages == [SYSTEM, user(LINES)]
    assert intent.request == {}
    system, seen = request.body["messages"]
    assert ("cache_control" in str(system)) is ("cache_control" in str(seen)) is sent
    assert "".join(part["text"] for part in parts(seen)) == LINES
