"""Ollama's own protocol is read by LiteLLM alone: its answers, failures and streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from arena import registry
from arena.core import ModelSpec
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import CallPath, ProviderSettings
from tests.llm.providers.conformance.compared import made
from tests.servers.canned_server import Canned, CannedServer

pytestmark = pytest.mark.slow

TEXT = "[3] I vote é\N{WOLF FACE} today"
COUNTS = {"done_reason": "stop", "prompt_eval_count": 40, "eval_count": 9, "total_duration": 5_000}
MISSING = Canned(b'{"error":"model \\"llama3\\" not found, try pulling it first"}', 404)
WHY = "its answers have a form that only LiteLLM reads"


def part(route: str, text: str, **more: Any) -> dict[str, Any]:
    """A piece of an answer, as Ollama says it to a conversation and to a prompt."""
    held: Mapping[str, Any] = {"response": text}
    if route.startswith("ollama_chat/"):
        held = {"message": {"role": "assistant", "content": text}}
    head = {"model": "llama3", "created_at": "2026-01-02T03:04:05.6Z", "done": bool(more)}
    return {**head, **held, **more}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ["ollama_chat/llama3", "ollama/llama3"])
def test_ollama_is_asked_through_litellm(route: str, stream: bool) -> None:
    parts = [part(route, TEXT, **COUNTS)]
    if stream:
        parts = [part(route, TEXT[:9]), part(route, TEXT[9:]), part(route, "", **COUNTS)]
    lines = [json.dumps(one).encode() + b"\n" for one in parts]
    plain = Canned(lines, kind="application/x-ndjson") if stream else Canned(lines[0])

    async def asked(server: CannedServer) -> tuple[CallPath, list[dict[str, Any]]]:
        litellm = LiteLLM(ProviderSettings(10.0, registry.policy))
        endpoint = litellm.prepare(ModelSpec(
            "m", route, api_base=server.url, stream=stream, input_price=1.0, output_price=2.0
        ))  # fmt: skip
        path = await endpoint.call_path()
        assert not server.requests, "nothing is sent to learn it"
        server.queue.extend([plain, MISSING])
        found = [await made(endpoint, None, lean=True) for _ in range(2)]
        await litellm.aclose()
        assert litellm.news == [f"m is asked through LiteLLM, which takes more CPU: {WHY}"]
        return path, found

    with CannedServer() as server:
        path, (answer, missing) = asyncio.run(asked(server))
        targets = {request.target for request in server.requests}
        assert len(server.requests) == 2
    assert path == CallPath(False, WHY)
    assert targets == {"/api/chat" if route.startswith("ollama_chat/") else "/api/generate"}
    assert (answer["text"], answer["finish reason"]) == (TEXT, "stop")
    assert (answer["usage"].prompt_tokens, answer["usage"].completion_tokens) == (40, 9)
    assert (missing["fault"], missing["status"]) == ("model", 404)
