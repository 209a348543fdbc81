"""A server on loopback that sends bytes as they are given, whatever it is asked, and keeps each
request to the byte.

    with CannedServer() as server:
        server.queue.append(Canned(b"{}"))
        ...  # server.url is the address, server.requests what was asked

Binds 127.0.0.1 on a free port and stops with the block, whatever happens inside it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.own_thread import ThreadServer

CERTIFICATE = Path(__file__).with_name("loopback.pem")
"""The certificate of a server that speaks TLS, and its key: signed by itself, for the address
127.0.0.1 and no name, until 2126."""


@dataclass(frozen=True)
class Canned:
    """One response. `body` is sent in one piece with its length; as a sequence, in chunks that
    leave one after the other. Headers that are given replace those of the same name.

    After one that `closes`, the connection ends, of which its head says nothing.

    A response that is `cut` ends with the connection before it is whole; with `reset` by RST. A
    `raw` one is sent as it is, head and all, and then the connection ends.
    """

    body: bytes | Sequence[bytes] = b""
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    reset: bool = False
    raw: bytes | None = None
    closes: bool = False


@dataclass(frozen=True)
class Asked:
    """A request as it came in: names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class CannedServer(ThreadServer):
    """Answers each request with the next of its `queue`; one that is `safe` speaks TLS."""

    def __init__(self, *, safe: bool = False) -> None:
        super().__init__("canned-server")
        self._safe = safe
        self.queue: deque[Canned] = deque()
        self.requests: list[Asked] = []
        self._open: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http{'s' * self._safe}://127.0.0.1:{self._port}"

    async def serve(self) -> None:
        context = _certified() if self._safe else None
        server = await asyncio.start_server(
            self._connected, "127.0.0.1", 0, backlog=256, ssl=context
        )
        await self._until_left(server.sockets[0].getsockname()[1])
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        # Transports close in the loop's next turn.
        await asyncio.sleep(0)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connection(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
            with suppress(ConnectionError):
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and what is sent; True when the connection can take another."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, target, _ = head[0].split(" ")
        self.requests.append(Asked(method, target, headers, body))
        canned = self.queue.popleft()
        if canned.raw is not None:
            writer.write(canned.raw)
            await writer.drain()
            return self._ended(canned, writer)
        pieces = [canned.body] if isinstance(canned.body, bytes) else canned.body
        chunked = not isinstance(canned.body, bytes)
        said = {
            "Content-Type": canned.kind,
            **({"Transfer-Encoding": "chunked"} if chunked else _length(canned)),
            **canned.headers,
        }
        lines = [f"HTTP/1.1 {canned.status} Status", *(f"{n}: {v}" for n, v in said.items())]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
            if len(pieces) > 1:
                # So that each is read by itself.
                await asyncio.sleep(0.0005)
        if canned.cut or canned.reset:
            return self._ended(canned, writer)
        if chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return not canned.closes

    def _ended(self, canned: Canned, writer: asyncio.StreamWriter) -> bool:
        if canned.reset:
            sock: socket.socket = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return False


def _certified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def _length(canned: Canned) -> dict[str, str]:
    # A body that is cut claims to be longer.
    more = 100 if canned.cut or canned.reset else 0
    return {"Content-Length": str(len(canned.body) + more)}
