"""A chat-completions server on 127.0.0.1, a process of its own, that keeps books on a disk.

    python -m torture.server --log FILE [--seed N] [--latency LOW HIGH] [--prices IN OUT]

prints its port and stops when its standard input closes. The reply is a function of the request's
messages alone (a legal move of `scripted/random`), so that a tournament that was disturbed and one
that was not hear the same. Every request is one line of the log before it is answered, with what
it will be billed, and a second line after the answer's bytes were written.

The first part of the path says how it answers: `plain`; `hostile` (see `torture.texts`); `echo`,
which refuses and repeats the key it was sent in its errors; `usage`, which says what a call took in
another form each time (`torture.usages`); one of `torture.unready`, which answers nobody until
`/mended/LANE` was posted to. The second names a lane: the tournament on whose account the request
goes in the log.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from arena.core import Message
from arena.llm.scripted.random import reply
from torture import texts, usages
from torture.unready import UNREADY, Unready

CHARACTERS_PER_TOKEN = 4


def digest_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """24 hex digits of the roles and contents of a request's messages."""
    digest = blake2b(digest_size=12)
    for message in messages:
        for part in (str(message["role"]), str(message["content"])):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(data))
            digest.update(data)
    return digest.hexdigest()


def answer_to(messages: Sequence[Message], digest: str) -> str:
    """The legal move that this conversation is always answered with."""
    return reply(messages, random.Random(int(digest, 16)))


def legal(body: Mapping[str, Any]) -> str:
    """The same, of the body of a request."""
    return answer_to(body["messages"], digest_of(body["messages"]))


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class Books:
    """The server's log and the state of its answers."""

    def __init__(
        self, log: Path, seed: int, latency: tuple[float, float], prices: tuple[float, float]
    ) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._seed = seed
        self._latency = latency
        self._prices = prices
        self._numbers = itertools.count()
        self._hostile = itertools.count()
        self._shapes = itertools.count()
        self._mended: set[str] = set()

    def write(self, line: Mapping[str, Any]) -> None:
        os.write(self._log, json.dumps(line).encode() + b"\n")

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        mode, lane = request.match_info["mode"], request.match_info["lane"]
        number = next(self._numbers)
        digest = digest_of(body["messages"])
        line: dict[str, Any] = {
            "n": number,
            "mode": mode,
            "lane": lane,
            "digest": digest,
            "at": time.monotonic(),
        }
        if mode == "echo":
            self.write({**line, "dollars": 0.0})
            return _refusal(number, request.headers.get("Authorization", ""))
        if mode in UNREADY and lane not in self._mended:
            self.write({**line, "dollars": 0.0})
            return _unready(UNREADY[mode])
        text = answer_to(body["messages"], digest)
        if mode == "hostile":
            text = texts.hostile(self._seed, next(self._hostile), text)
            line["text"] = text
        prompt = sum(tokens(message["content"]) for message in body["messages"])
        said = tokens(text)
        call = usages.Call(prompt, said, self._prices)
        shape = next(self._shapes) if mode == "usage" else 0
        usage, dollars = usages.told(shape, call)
        self.write({**line, "prompt": prompt, "completion": said, "dollars": dollars})
        rng = random.Random(f"{self._seed} {number}")
        await asyncio.sleep(rng.uniform(*self._latency))
        if body.get("stream"):
            words = [piece for piece in re.split(r"(?= )", text) if piece] or [""]
            head = {"id": f"chatcmpl-{digest}", "model": body["model"]}
            return await self._streamed(request, number, head, usages.chunks(shape, words, usage))
        data = json.dumps(_completion(body["model"], digest, text, usage)).encode()
        response = web.Response(body=data, content_type="application/json")
        if request.transport is None or request.transport.is_closing():
            return response
        await response.prepare(request)
        await response.write_eof()
        self.write({"n": number, "sent": time.monotonic()})
        return response

    async def mended(self, request: web.Request) -> web.Response:
        self._mended.add(request.match_info["lane"])
        return web.Response()

    async def _streamed(
        self,
        request: web.Request,
        number: int,
        head: Mapping[str, Any],
        chunks: Iterable[Mapping[str, Any]],
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        same = {**head, "object": "chat.completion.chunk", "created": 1700000000}
        for chunk in chunks:
            line = {**same, **chunk}
            await response.write(b"data: " + json.dumps(line).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        self.write({"n": number, "sent": time.monotonic()})
        return response


def _completion(
    model: str, digest: str, text: str, usage: Mapping[str, Any] | None
) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": f"chatcmpl-{digest}",
        "object": "chat.completion",
        "created": 1700000000,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }


def _unready(said: Unready) -> web.Response:
    error = {"message": said.message, "type": said.type, "param": None, "code": None}
    return web.json_response({"error": error}, status=said.status, headers=said.headers)


def _refusal(number: int, sent: str) -> web.Response:
    """An error that repeats the key, each time in another way and under another status."""
    key = sent.removeprefix("Bearer ")
    told = (
        f"Incorrect API key provided: {key}.",
        f"bad header Authorization: {sent}",
        f"no such user: {base64.b64encode(key.encode()).decode()}",
        f"see https://example.invalid/?api_key={quote(key, safe='')}",
        f"key {key[:-4]}... is unknown",
        f"key ending in {key[8:]} is unknown",
        json.dumps({"headers": {"authorization": sent}}),
    )
    statuses = (401, 400, 500, 200, 403, 404, 422)
    status = statuses[number % len(statuses)]
    error = {
        "message": told[(number // len(statuses) + number) % len(told)],
        "type": "invalid_request_error",
        "param": None,
        "code": key if number % 3 == 0 else "invalid_api_key",
    }
    return web.json_response({"error": error}, status=status, headers={"x-request-id": key})


async def _serve(books: Books) -> None:
    app = web.Application(client_max_size=256 * 2**20)
    app.router.add_post("/{mode}/{lane}/v1/chat/completions", books.chat)
    app.router.add_post("/mended/{lane}", books.mended)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(runner.addresses[0][1], flush=True)
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not os.read(0, 1024):
            gone.set()

    loop.add_reader(sys.stdin.fileno(), look)
    await gone.wait()
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m torture.server")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", type=float, nargs=2, default=(0.0, 0.0))
    parser.add_argument("--prices", type=float, nargs=2, default=(0.0, 0.0))
    options = parser.parse_args()
    low, high = options.latency
    books = Books(options.log, options.seed, (low, high), tuple(options.prices))
    asyncio.run(_serve(books))


if __name__ == "__main__":
    main()
