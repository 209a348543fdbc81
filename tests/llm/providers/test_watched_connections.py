"""What the stopwatch of an attempt is told by the connection that carries its request."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp
import pytest

from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.providers import litellm_wire
from arena.llm.providers.stopwatch import AttemptPhase, Stopwatch, timed

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Server:
    """Notes the phase of an attempt when the whole of its request is here, and answers."""

    def __init__(self) -> None:
        self.watch: Stopwatch | None = None
        self.phases: list[AttemptPhase] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length:")[2].split()[0])
                await reader.readexactly(length)
                assert self.watch is not None
                self.phases.append(self.watch.phase)
                writer.write(HEAD + b"{}")
        writer.close()


def plain(connector: Any) -> None:
    """As aiohttp made it."""


def closed(connector: Any) -> None:
    """As a version may make it whose connections cannot be replaced."""
    make = connector._factory
    connector._factory = lambda: make()


@pytest.mark.parametrize(
    ("prepare", "watched", "known"), [(plain, True, [False, True]), (closed, False, [False, False])]
)
def test_a_request_has_left_when_its_last_byte_is_written(
    prepare: Any, watched: bool, known: list[bool]
) -> None:
    server, reused = Server(), []

    async def two_requests() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession() as session:
            prepare(session.connector)
            for body in (b"a request", b"one of many pieces" * 20_000):
                seen = litellm_wire.watch(session)
                async with timed(LoopLag(), most=30) as server.watch:
                    server.watch.preparing()
                    async with session.post(f"http://127.0.0.1:{port}/", data=body) as response:
                        assert await response.json(content_type=None) == {}
                reused.append(seen())
                assert server.watch.watched is watched
                assert server.watch.left
        listening.close()

    asyncio.run(two_requests())

    assert server.phases == [AttemptPhase.PROVIDER] * 2
    assert reused == known


def test_a_request_whose_tunnel_leads_nowhere_has_not_left() -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await reader.read(100)
        writer.close()

    async def one_request() -> Stopwatch:
        listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with aiohttp.ClientSession() as session, timed(LoopLag(), most=30) as watch:
            litellm_wire.watch(session)
            watch.preparing()
            with pytest.raises(aiohttp.ClientError):
                await session.post(
                    "https://127.0.0.1:9/", data=b"{}", proxy=f"http://127.0.0.1:{port}"
                )
        listening.close()
        return watch

    assert not asyncio.run(one_request()).left
