"""Calls of tools in Anthropic's and Google's own forms, through LiteLLM as it is: a whole game in
which the model is asked on loopback, streamed and not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from arena.config import loads
from arena.orchestrator import run
from arena.replay.check import check
from db import get_session
from db.queries.transcript import transcript
from tests.servers.canned_server import Canned, CannedServer

TOURNAMENT = """
name: native
environment: {{name: TicTacToe-v0, players: 2}}
games: 1
matchmaker: {{name: round-robin}}
models:
  - name: far
    litellm_model: {model}
    api_base: "{url}"
    stream: {stream}
    input_price: 1
    output_price: 1
prompts: [{{name: plain, text: "Play."}}, {{name: calm, text: "Stay calm."}}]
agents:
  - {{name: Ann, model: far, prompt: plain, tools: [calculator]}}
  - {{name: Bob, model: far, prompt: calm, tools: [calculator]}}
"""
MODELS = {"anthropic": "anthropic/claude-sonnet-4-20250514", "google": "gemini/gemini-2.5-flash"}
# The last is the first again, which LiteLLM sends to Google once, and both of its results.
SUMS = ({"expression": "6*7"}, {"expression": "5*5"}, {"expression": "6*7"})
SAID = ("42", "25", "42")
# The first player wins: 0, 1 and 2.
CELLS = (0, 3, 1, 4, 2)


THOUGHTS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Six by seven? I should ask.", "signature": "c2lnbmVk"},
    {"type": "redacted_thinking", "data": "b3BhcXVl"},
]


def anthropic(*, move: int | None, stream: bool, thinks: bool = False) -> Canned:
    """An answer of Anthropic's: three calls after some words, or a move; and what it `thinks`."""
    calls = [
        {"type": "tool_use", "id": f"toolu_{n}", "name": "calculate", "input": each}
        for n, each in enumerate(SUMS)
    ]
    said = {"type": "text", "text": "Let me see." if move is None else f"[{move}]"}
    blocks: list[dict[str, Any]] = [
        *(THOUGHTS if thinks else []), said, *(calls if move is None else []),
    ]  # fmt: skip
    reason = "tool_use" if move is None else "end_turn"
    head = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "stop_sequence": None, "usage": {"input_tokens": 10, "output_tokens": 5},
    }  # fmt: skip
    if not stream:
        return _json({**head, "content": blocks, "stop_reason": reason})
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**head, "content": [], "stop_reason": None}}
    ]
    for index, block in enumerate(blocks):
        empty: dict[str, Any] = {"text": "", "input": {}, "thinking": "", "signature": ""}
        begun = {**block, **{name: value for name, value in empty.items() if name in block}}
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        pieces = (
            [{"type": "text_delta", "text": block["text"]}]
            if "text" in block
            else [
                {"type": "thinking_delta", "thinking": block["thinking"][:9]},
                {"type": "thinking_delta", "thinking": block["thinking"][9:]},
                {"type": "signature_delta", "signature": block["signature"]},
            ]
            if "thinking" in block
            else [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in ("", json.dumps(block["input"])[:9], json.dumps(block["input"])[9:])
            ]
            if "input" in block
            else []
        )
        events += [
            {"type": "content_block_delta", "index": index, "delta": piece} for piece in pieces
        ]
        events.append({"type": "content_block_stop", "index": index})
    events += [
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return _events(events, named=True)


def google(*, move: int | None, stream: bool) -> Canned:
    """An answer of Google's: two calls after some words, or a move."""
    calls = [{"functionCall": {"name": "calculate", "args": each}} for each in SUMS]
    said = {"text": "Let me see." if move is None else f"[{move}]"}
    parts: list[dict[str, Any]] = [said, *(calls if move is None else [])]
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}

    def chunk(these: list[dict[str, Any]], **ended: Any) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": these}, "index": 0, **ended}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "g"}

    if not stream:
        return _json(chunk(parts, finishReason="STOP"))
    *before, last = parts
    return _events([*(chunk([part]) for part in before), chunk([last], finishReason="STOP")])


def _json(body: Mapping[str, Any]) -> Canned:
    return Canned(json.dumps(body).encode())


def _events(events: list[dict[str, Any]], *, named: bool = False) -> Canned:
    lines = [
        (f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n"
        for event in events
    ]
    return Canned([line.encode() for line in lines], kind="text/event-stream")


def sent_back(form: str, body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What every call that a request holds was to calculate, and what is said of it."""
    if form == "google":
        parts = [part for content in body["contents"] for part in content["parts"]]
        calls = [part["function_call"] for part in parts if "function_call" in part]
        results = [part["function_response"] for part in parts if "function_response" in part]
        assert len(calls) == len(results)
        return [
            (call["args"]["expression"], str(each["response"]))
            for call, each in zip(calls, results, strict=True)
        ]
    blocks = [
        block
        for message in body["messages"]
        for block in message["content"]
        if isinstance(block, dict)
    ]
    calls = {block["id"]: block for block in blocks if block["type"] == "tool_use"}
    results = [block for block in blocks if block["type"] == "tool_result"]
    assert len(calls) == len(results)
    return [
        (calls[each["tool_use_id"]]["input"]["expression"], str(each["content"]))
        for each in results
    ]


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("form", MODELS)
def test_a_game_with_tools_in_a_providers_own_form(
    form: str, stream: bool, sqlite_url: str
) -> None:
    answer = anthropic if form == "anthropic" else google
    with CannedServer() as server:
        for cell in CELLS:
            server.queue += [answer(move=None, stream=stream), answer(move=cell, stream=stream)]
        config = loads(
            TOURNAMENT.format(model=MODELS[form], url=server.url, stream=str(stream).lower()),
            source="native.yaml",
        )
        asyncio.run(run(config, url=sqlite_url))
        sent = [json.loads(request.body) for request in server.requests]
    with get_session(sqlite_url) as session:
        turns = transcript(session, 1)

    assert [turn.action for turn in turns] == [f"[{cell}]" for cell in CELLS]
    for turn in turns:
        assert [(tool.result, tool.error) for tool in turn.tools] == [(each, None) for each in SAID]
        assert [(call.error_class, call.prompt_tokens) for call in turn.calls] == [(None, 10)] * 2
    first, second, *_ = sent
    assert "calculate" in json.dumps(first["tools"])
    assert sent_back(form, first) == []
    told = sent_back(form, second)
    assert [expression for expression, _ in told] == ["6*7", "5*5", "6*7"][: len(told)]
    assert [said in result for said, (_, result) in zip(SAID, told, strict=False)] == [True] * len(
        told
    )
    assert len(told) == (2 if form == "google" else 3)
    assert check(1, sqlite_url).first_difference is None


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_claude_is_sent_its_signed_thoughts_with_what_a_tool_said(
    stream: bool, sqlite_url: str
) -> None:
    model = "anthropic/claude-sonnet-4-20250514"
    thinks = "params: {max_tokens: 3000, thinking: {type: enabled, budget_tokens: 2000}}"
    with CannedServer() as server:
        for cell in CELLS:
            for move in (None, cell):
                server.queue.append(anthropic(move=move, stream=stream, thinks=True))
        written = TOURNAMENT.format(model=model, url=server.url, stream=str(stream).lower())
        config = loads(
            written.replace("    input_price", f"    {thinks}\n    input_price"),
            source="native.yaml",
        )
        asyncio.run(run(config, url=sqlite_url))
        sent = [json.loads(request.body) for request in server.requests]
    with get_session(sqlite_url) as session:
        turns = transcript(session, 1)

    assert [turn.action for turn in turns] == [f"[{cell}]" for cell in CELLS]
    for asked, asked_again in zip(sent[::2], sent[1::2], strict=True):
        assert asked["thinking"] == asked_again["thinking"] == {
            "type": "enabled", "budget_tokens": 2000,
        }  # fmt: skip
        assert "c2lnbmVk" not in json.dumps(asked)
        calling = asked_again["messages"][-2]["content"]
        assert calling[:2] == THOUGHTS
        assert [block["type"] for block in calling[2:]] == ["text", *["tool_use"] * len(SUMS)]
    assert turns[0].calls[0].response["choices"][0]["thinking_blocks"] == THOUGHTS
    assert "thinking_blocks" not in turns[0].calls[1].response["choices"][0]
    assert check(1, sqlite_url).first_difference is None
