"""One exchange of a chat-completions server, byte by byte: what it was asked and how it answers."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wire:
    """One exchange: what was asked, what the answer would be, and the connection to send it on."""

    body: Mapping[str, Any]
    text: str
    usage: Mapping[str, int]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    hang: float = 30.0
    url: str = ""

    def completion(self, **changes: Any) -> dict[str, Any]:
        """The answer as a chat completion; `message`, `choice` and `answer` are laid over it."""
        message = {"role": "assistant", "content": self.text, **changes.get("message", {})}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer: dict[str, Any] = {
            "id": "chatcmpl-faulty",
            "object": "chat.completion",
            "created": 1700000000,
            "model": self.body.get("model"),
            "choices": [{**choice, **changes.get("choice", {})}],
            "usage": dict(self.usage),
        }
        return {**answer, **changes.get("answer", {})}

    async def send(
        self,
        content: bytes | str | dict[str, Any] | list[Any],
        *,
        status: int = 200,
        kind: str = "application/json",
        length: int | None = None,
        keep: bool = False,
        **headers: str,
    ) -> None:
        """A response; header names with underscores for dashes. `length` is what it claims."""
        raw = content if isinstance(content, bytes) else as_text(content).encode()
        lines = [
            f"HTTP/1.1 {status} Status",
            f"Content-Type: {kind}",
            f"Content-Length: {len(raw) if length is None else length}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
            *([] if keep else ["Connection: close"]),
        ]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
        await self.writer.drain()

    async def error(self, status: int, message: str, **headers: Any) -> None:
        await self.send({"error": {"message": message, "code": None}}, status=status, **headers)

    def reset(self) -> None:
        """Ends the connection with RST instead of FIN."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def until_left(self, every: float | None = None) -> None:
        """Waits until the client hangs up; with `every`, sends it a byte in between."""
        end = asyncio.get_running_loop().time() + self.hang
        while asyncio.get_running_loop().time() < end:
            try:
                async with asyncio.timeout(self.hang if every is None else every):
                    await self.reader.read(1)
                return
            except TimeoutError:
                if every is None:
                    return
                self.writer.write(b"x")
                await self.writer.drain()

    async def stream(self) -> AsyncIterator[str]:
        """Sends the head of an event stream; then the words to send, one after the other."""
        self.writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        )
        self.event(self.chunk({"role": "assistant", "content": ""}))
        for position, word in enumerate(self.text.split(" ")):
            yield word if position == 0 else f" {word}"

    def chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {
            "id": "chatcmpl-faulty",
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": self.body.get("model"),
            "choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish}],
        }

    def event(self, data: Any) -> None:
        self.writer.write(f"data: {as_text(data)}\n\n".encode())


def as_text(content: Any) -> str:
    """JSON, but for what is text already."""
    return content if isinstance(content, str) else json.dumps(content)


async def answer(wire: Wire) -> None:
    """What a server that behaves sends."""
    if not wire.body.get("stream"):
        await wire.send(wire.completion(), keep=True)
        return
    async for word in wire.stream():
        wire.event(wire.chunk({"content": word}))
    wire.event(wire.chunk({}, "stop"))
    wire.event({**wire.chunk({}), "choices": [], "usage": dict(wire.usage)})
    wire.event("[DONE]")
    await wire.writer.drain()
