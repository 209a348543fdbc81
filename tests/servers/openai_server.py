"""A chat-completions server on loopback: real HTTP, real SSE, replies, faults and delays by script.

    with OpenAIServer(replies=["[3]"]) as server:
        ...  # server.url is the api_base, server.requests what was asked

Binds 127.0.0.1 on a free port and stops with the block, whatever happens inside it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.servers.own_thread import ThreadServer


@dataclass(frozen=True)
class Reply:
    """One scripted answer.

    With `status` other than 200 or a `body`, those are sent as they are. Otherwise a chat
    completion of `text`; `cut` breaks the connection (streamed: after that many words; else
    after the headers), `delay` is seconds before the first byte, `gap` seconds between words.
    With `after` nothing is sent before that event is set (of a stream: but its first words).
    `parts` is a content that is a list, in the place of `text`; a stream sends one at a time.
    """

    text: str | None = "ok"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    delay: float = 0.0
    gap: float = 0.0
    after: threading.Event | None = None
    cut: int | None = None
    finish_reason: str | None = "stop"
    reasoning: str | None = None
    usage: Mapping[str, Any] | None = None
    send_usage: bool = True
    tool_calls: Sequence[Mapping[str, Any]] | None = None
    provider: str | None = None
    parts: Sequence[Any] | None = None


def error(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """An error as OpenAI words it; header names with underscores for dashes."""
    body = {"error": {"message": message, "type": "test_error", "param": None, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=json.dumps(body), headers=named)


@dataclass(frozen=True)
class Request:
    """What the server was asked: the parsed body, the headers and when (monotonic seconds)."""

    body: dict[str, Any]
    headers: dict[str, str]
    at: float


Script = Sequence[Reply | str] | Callable[[dict[str, Any]], Reply | str]


class OpenAIServer(ThreadServer):
    """Serves `replies` in order (the last one for ever), or what a function makes of the body."""

    def __init__(
        self,
        replies: Script = ("ok",),
        *,
        latency: float = 0.0,
        embed: Callable[[str], Sequence[float]] = lambda text: [1.0, float(len(text))],
    ) -> None:
        super().__init__("openai-server")
        self.embed = embed
        self.requests: list[Request] = []
        self.peak = 0
        self._in_flight = 0
        self._replies = replies
        self._latency = latency
        self._asked = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def wait_for_request(self, seconds: float = 20.0) -> None:
        """Returns when the first request has come in."""
        if not self._asked.wait(seconds):
            raise RuntimeError(f"no request came in within {seconds:g} s")

    async def serve(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embed)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
        await site.start()
        try:
            await self._until_left(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    def _next(self, body: dict[str, Any]) -> Reply:
        if callable(self._replies):
            chosen = self._replies(body)
        else:
            chosen = self._replies[min(len(self.requests) - 1, len(self._replies) - 1)]
        return Reply(text=chosen) if isinstance(chosen, str) else chosen

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(Request(body, dict(request.headers), time.monotonic()))
        self._asked.set()
        reply = self._next(body)
        self._in_flight += 1
        self.peak = max(self.peak, self._in_flight)
        try:
            if self._latency or reply.delay:
                await asyncio.sleep(self._latency + reply.delay)
            if reply.body is not None or reply.status != 200:
                return web.Response(
                    status=reply.status,
                    text=reply.body or "",
                    content_type="application/json",
                    headers=dict(reply.headers),
                )
            if body.get("stream"):
                return await self._stream(request, body, reply)
            if reply.after is not None:
                await asyncio.to_thread(reply.after.wait, 20)
            if reply.cut is not None:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            return web.json_response(_completion(body, reply), headers=dict(reply.headers))
        finally:
            self._in_flight -= 1

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        """Vectors as OpenAI gives them: of each text `embed` makes, or what the script says."""
        body = await request.json()
        self.requests.append(Request(body, dict(request.headers), time.monotonic()))
        reply = self._next(body)
        if reply.status != 200 or reply.body is not None:
            said = reply.body or "{}"
            return web.Response(
                status=reply.status,
                headers=reply.headers,
                text=said,
                content_type="application/json",
            )
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [
            {"object": "embedding", "index": index, "embedding": self.embed(text)}
            for index, text in enumerate(texts)
        ]
        used = sum(len(text) // 4 + 1 for text in texts)
        usage = {"prompt_tokens": used, "total_tokens": used}
        return web.json_response(
            {"object": "list", "model": body["model"], "data": data[::-1], "usage": usage}
        )

    async def _stream(
        self, request: web.Request, body: dict[str, Any], reply: Reply
    ) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", **dict(reply.headers)}
        )
        await response.prepare(request)

        async def send(chunk: dict[str, Any]) -> None:
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())

        def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
            return {
                "id": "chatcmpl-loopback",
                "object": "chat.completion.chunk",
                "created": 1700000000,
                "model": body["model"],
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
                **({"provider": reply.provider} if reply.provider else {}),
            }

        await send(chunk({"role": "assistant", "content": ""}))
        if reply.reasoning:
            await send(chunk({"reasoning_content": reply.reasoning}))
        for part in reply.parts or ():
            await send(chunk({"content": [part]}))
        words = [] if reply.parts is not None else (reply.text or "").split(" ")
        for position, word in enumerate(words):
            if reply.cut is not None and position >= reply.cut:
                return response
            if reply.after is not None and position == 2:
                await asyncio.to_thread(reply.after.wait, 20)
            if reply.gap:
                await asyncio.sleep(reply.gap)
            said = word if position == 0 else f" {word}"
            piece = chunk({"content": said})
            piece["choices"][0] |= _tokens(body, [said], position)
            await send(piece)
        for index, call in enumerate(reply.tool_calls or ()):
            # In two pieces: the first names the tool, the second goes on with its arguments.
            function = dict(call["function"])
            begun, rest = function["arguments"][:3], function["arguments"][3:]
            function["arguments"] = begun
            await send(chunk({"tool_calls": [{**call, "index": index, "function": function}]}))
            more = {"index": index, "function": {"arguments": rest}}
            await send(chunk({"tool_calls": [more]}))
        if reply.finish_reason is not None:
            await send(chunk({}, reply.finish_reason))
        if reply.send_usage and (body.get("stream_options") or {}).get("include_usage"):
            await send({**chunk({}), "choices": [], "usage": _usage(body, reply)})
        await response.write(b"data: [DONE]\n\n")
        return response


def _tokens(body: dict[str, Any], words: Sequence[str], first: int = 0) -> dict[str, Any]:
    """What a choice says of its tokens where that is asked for: a word is one, the n-th (from 0)
    with the logarithm -n/8 and the id 100 + n."""
    found: dict[str, Any] = {}
    if body.get("logprobs"):
        found["logprobs"] = {
            "content": [
                {"token": word, "logprob": -(first + n) / 8, "bytes": None, "top_logprobs": []}
                for n, word in enumerate(words)
            ],
            "refusal": None,
        }
    if body.get("return_token_ids"):
        found["token_ids"] = [100 + first + n for n in range(len(words))]
    return found


def _usage(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    if reply.usage is not None:
        return dict(reply.usage)
    prompt = sum(len(str(message["content"] or "").split()) for message in body["messages"])
    # The token that ends an answer counts: a silent one takes one too.
    completion = max(len((reply.text or "").split()), 1)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def _words(text: str) -> list[str]:
    return [word if n == 0 else f" {word}" for n, word in enumerate(text.split(" "))]


def _completion(body: dict[str, Any], reply: Reply) -> dict[str, Any]:
    content = reply.text if reply.parts is None else list(reply.parts)
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = list(reply.tool_calls)
    answer: dict[str, Any] = {
        "id": "chatcmpl-loopback",
        "object": "chat.completion",
        "created": 1700000000,
        "model": body["model"],
        "system_fingerprint": "fp_loopback",
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
    }
    answer["choices"][0] |= _tokens(body, _words(reply.text or ""))
    if reply.provider:
        answer["provider"] = reply.provider
    if reply.send_usage:
        answer["usage"] = _usage(body, reply)
    return answer
