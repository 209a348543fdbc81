"""Streams of Cohere's, which LiteLLM takes for lines of JSON."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from arena import registry
from arena.core import ModelSpec, ToolCall
from arena.llm.failures.inside import Heard
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.normalize import lawful_events
from arena.llm.providers.protocol import ProviderSettings
from tests.llm.providers.conformance.cases import on_the_line
from tests.llm.providers.conformance.cohere_like import (
    ANSWERS,
    COUNTS,
    SAID,
    STREAMS,
    chunks,
    event,
)
from tests.llm.providers.conformance.compared import made
from tests.servers.canned_server import CannedServer


def asked_of_litellm(*named: str, stream: bool = True) -> list[dict[str, Any]]:
    """What LiteLLM itself makes of these streams."""

    async def asked() -> list[dict[str, Any]]:
        litellm = LiteLLM(ProviderSettings(20.0, registry.policy))
        every = {**STREAMS, **on_the_line([*map(event, chunks())])} if stream else ANSWERS
        try:
            with CannedServer() as server:
                spec = ModelSpec(
                    "m",
                    "cohere_chat/command-a-03-2025",
                    api_base=server.url + "/v2/chat",
                    stream=stream,
                    input_price=1.0,
                    output_price=2.0,
                )
                endpoint = litellm.prepare(spec)
                server.queue.extend(every[name] for name in named)
                return [await made(endpoint, None, lean=False) for _ in named]
        finally:
            await litellm.aclose()

    return asyncio.run(asked())


@pytest.mark.slow
def test_litellm_reads_a_stream_of_coheres() -> None:
    whole, last, limit, tool, failed, broken = asked_of_litellm(
        "pieces", "without the last blank line", "limit", "a tool", "failed", "garbage within"
    )
    tokens = COUNTS["tokens"]
    for one in (whole, last):
        assert (one["text"], one["finish reason"]) == (SAID, "stop")
        assert one["usage"].prompt_tokens == tokens["input_tokens"]
        assert one["usage"].completion_tokens == tokens["output_tokens"]
    assert limit["finish reason"] == "length"
    assert tool["tool calls"] == (ToolCall("vote", '{"p": 3}'),)
    assert failed["message"] == "the model was lost (finish_reason 'ERROR')"
    assert broken["message"] == "an event of the stream is no JSON object"


@pytest.mark.slow
def test_a_whole_answer_says_why_it_ended() -> None:
    found = asked_of_litellm("plain", "cut by the limit", "a tool", "toxic", stream=False)
    assert [one["finish reason"] for one in found] == [
        "stop",
        "length",
        "tool_calls",
        "content_filter",
    ]


def test_texts_that_come_together_are_one_line() -> None:
    heard = Heard()
    lines = lawful_events(b"".join(map(event, chunks())), heard).splitlines()
    assert len(lines) == 2
    assert heard.reasons == ["COMPLETE"]
    assert heard.done


def test_nothing_is_passed_on_before_the_first_event() -> None:
    heard = Heard()
    assert lawful_events(b": keep-alive\n\n", heard) == b""
    assert lawful_events(b"\nevent: message-start\n", heard) == b""
    assert heard.bare


def test_other_streams_keep_their_blank_lines() -> None:
    heard = Heard()
    said = b'event: ping\ndata: {"type": "ping"}\n\n'
    assert lawful_events(said, heard) == said
    assert heard.bare is False
