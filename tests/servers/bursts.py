"""A server on 127.0.0.1, a process of its own, whose long answers come all at once.

    with burst_server() as url:
        ...  # the `api_base` of Anthropic's protocol and of Google's; OpenAI's is f"{url}/v1"

It speaks all three, whole and streamed. An answer is `characters` of varied text and then a legal
move; a stream of it has `chunks` events, all of them written at once. It ends with the block, and
by itself when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from torture.server import legal

_WORDS = (
    "I", "think", "that", "Player", "2", "was", "quiet", "yesterday,", "and", "nobody", "asked",
    "why.", "«Évidemment»,", "says", "the", "doctor;", "<b>", "maybe", "3/4", "of", "us\n", "lie",
)  # fmt: skip


@contextmanager
def burst_server(chunks: int = 10_000, characters: int = 100_000) -> Iterator[str]:
    """The server: its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.servers.bursts", str(chunks), str(characters)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.stdin.close()
            process.wait(30)


def _prose(characters: int) -> str:
    rng, words, length = random.Random(1), [], 0
    while length < characters:
        words.append(rng.choice(_WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)[:characters]


def _messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A conversation in any of the three protocols, as OpenAI's."""
    if "contents" in body:
        found = [
            {"role": one.get("role", "user"), "content": one["parts"]} for one in body["contents"]
        ]
    else:
        found = [dict(one) for one in body["messages"]]
    for one in found:
        if not isinstance(one["content"], str):
            one["content"] = "".join(part.get("text", "") for part in one["content"])
    return found


def _split(text: str, chunks: int) -> Iterator[str]:
    size = max(1, len(text) // chunks)
    return (text[at : at + size] for at in range(0, len(text), size))


def _openai(pieces: Sequence[str], *, stream: bool) -> Iterator[dict[str, Any] | str]:
    head = {"id": "c", "created": 1700000000, "model": "burst"}
    usage = {"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200}
    if not stream:
        message = {"role": "assistant", "content": "".join(pieces)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        yield {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
        return
    head["object"] = "chat.completion.chunk"
    for piece in pieces:
        yield {**head, "choices": [{"index": 0, "delta": {"content": piece}}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield {**head, "choices": [], "usage": usage}
    yield "[DONE]"


def _anthropic(pieces: Sequence[str], *, stream: bool) -> Iterator[dict[str, Any] | str]:
    head = {"id": "m", "type": "message", "role": "assistant", "model": "burst"}
    usage = {"input_tokens": 100, "output_tokens": 100}
    if not stream:
        content = [{"type": "text", "text": "".join(pieces)}]
        yield {**head, "content": content, "stop_reason": "end_turn", "usage": usage}
        return
    begun: dict[str, Any] = {**head, "content": [], "stop_reason": None, "usage": usage}
    yield {"type": "message_start", "message": begun}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for piece in pieces:
        delta = {"type": "text_delta", "text": piece}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}
    yield {"type": "message_stop"}


def _google(pieces: Sequence[str], *, stream: bool) -> Iterator[dict[str, Any] | str]:
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 100, "totalTokenCount": 200}
    for at, piece in enumerate(pieces if stream else ["".join(pieces)]):
        content = {"role": "model", "parts": [{"text": piece}]}
        candidate: dict[str, Any] = {"content": content, "index": 0}
        if not stream or at == len(pieces) - 1:
            candidate["finishReason"] = "STOP"
        yield {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "burst"}


async def _answer(request: web.Request) -> web.Response:
    body = await request.json()
    path = request.path
    stream = bool(body.get("stream")) or "stream" in path
    chunks, text = request.app[_CHUNKS], request.app[_TEXT]
    pieces = [*_split(text, chunks if stream else 1), f" {legal({'messages': _messages(body)})}"]
    if path.endswith("/chat/completions"):
        made = _openai(pieces, stream=stream)
    elif path.endswith("/messages"):
        made = _anthropic(pieces, stream=stream)
    else:
        made = _google(pieces, stream=stream)
    if not stream:
        return web.json_response(next(made))
    lines = (one if isinstance(one, str) else json.dumps(one) for one in made)
    events = "".join(f"data: {line}\n\n" for line in lines)
    return web.Response(text=events, content_type="text/event-stream")


_CHUNKS = web.AppKey("chunks", int)
_TEXT = web.AppKey("text", str)


async def _serve(chunks: int, characters: int) -> None:
    app = web.Application(client_max_size=256 * 2**20)
    app[_CHUNKS], app[_TEXT] = chunks, _prose(characters)
    app.router.add_post("/{path:.*}", _answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.servers.bursts")
    parser.add_argument("chunks", type=int)
    parser.add_argument("characters", type=int)
    options = parser.parse_args()
    asyncio.run(_serve(options.chunks, options.characters))
