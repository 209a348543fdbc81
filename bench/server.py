"""A chat-completions server on 127.0.0.1, lean and in a process of its own.

`/<lane>/<latency>/<games>/v1/chat/completions` answers after `latency` seconds, as `bench.policies`
does. The first calls of the games are answered one after another over one latency, so that games
that begin together do not go on calling in bursts. A request for a stream is answered by events of
four characters each, about a token, that come together. `/<lane>/times` gives the moments (of the
machine's monotonic clock) at which that lane was answered. It parses no more of HTTP than its two
clients write.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import re
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Mapping
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from bench.policies import answer_to, response

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_JSON, _EVENTS = b"application/json", b"text/event-stream"
_STREAM = re.compile(r'"stream"\s*:\s*true')
_TOKEN = 4  # characters


class LoopbackServer:
    """The server's process. It ends with the block, and by itself when this process is gone."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, self._theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(self._theirs,))
        self._port = 0

    def url(self, lane: str, latency: float, games: int) -> str:
        """The `api_base` of a lane of `games` games, whose answers take `latency` seconds."""
        return f"http://127.0.0.1:{self._port}/{lane}/{latency}/{games}/v1"

    def times(self, lane: str) -> list[float]:
        """When each answer of a lane was sent, in order."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/{lane}/times") as answer:
            moments: list[float] = json.load(answer)
        return moments

    def __enter__(self) -> Self:
        self._process.start()
        self._theirs.close()
        if not self._pipe.poll(30):
            raise RuntimeError("the loopback server did not start within 30 s")
        self._port = self._pipe.recv()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


class _Client(asyncio.Protocol):
    """One connection, kept alive; one request at a time."""

    def __init__(self, times: dict[str, list[float]], asked: Counter[str]) -> None:
        self._times = times
        self._asked = asked
        self._received = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(_HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end])
        at = head.lower().find(_LENGTH)
        length = 0
        if at >= 0:
            length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        whole = end + len(_HEAD_END) + length
        if len(self._received) < whole:
            return
        body = self._received[end + len(_HEAD_END) : whole].decode()
        del self._received[:whole]
        path = head.split(b" ", 2)[1].decode().strip("/").split("/")
        if path[1] == "times":
            self._send(json.dumps(self._times[path[0]]))
            return
        answer = response("loopback", answer_to(body), len(body) // 4, 75)
        streamed = _STREAM.search(body) is not None
        text = events(answer) if streamed else json.dumps(answer)
        latency, games = float(path[1]), int(path[2])
        if self._asked[path[0]] < games:
            self._asked[path[0]] += 1
            latency *= self._asked[path[0]] / games
        kind = _EVENTS if streamed else _JSON
        if latency:
            asyncio.get_running_loop().call_later(latency, self._answer, path[0], text, kind)
        else:
            self._answer(path[0], text, kind)

    def _answer(self, lane: str, text: str, kind: bytes) -> None:
        if not self._transport.is_closing():
            self._times[lane].append(time.monotonic())
            self._send(text, kind)

    def _send(self, text: str, kind: bytes = _JSON) -> None:
        body = text.encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n%s"
            % (kind, len(body), body)
        )


def events(answer: Mapping[str, Any]) -> str:
    """An answer as providers stream it: a head, its text in tokens, its end, its usage."""
    head = {name: answer[name] for name in ("id", "created", "model")}
    head["object"] = "chat.completion.chunk"
    text = answer["choices"][0]["message"]["content"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": text[at : at + _TOKEN]} for at in range(0, len(text), _TOKEN)]
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        for delta in deltas
    ]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks.append({**head, "choices": [], "usage": answer["usage"]})
    return "".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n"


def _serve(pipe: Connection) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_listen(pipe))


async def _listen(pipe: Connection) -> None:
    times: dict[str, list[float]] = defaultdict(list)
    asked: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    server = await loop.create_server(lambda: _Client(times, asked), "127.0.0.1", 0, backlog=4096)
    loop.add_reader(pipe.fileno(), gone.set)
    pipe.send(server.sockets[0].getsockname()[1])
    await gone.wait()
    server.close()
