"""Stands between the arena and a model's server on loopback, and keeps what passes both ways."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as it arrived and the body that was sent back, parsed where they are JSON."""

    status: int
    request: Any
    response: Any


@dataclass(slots=True)
class Wire:
    """What has passed so far; `url` is where the arena asks."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)


@asynccontextmanager
async def wiretap(server: str) -> AsyncIterator[Wire]:
    """A server on a free port of 127.0.0.1 that passes everything on to `server` (a URL without a
    path) and keeps the exchanges; it stops with the block."""
    async with ClientSession(timeout=ClientTimeout(total=None)) as session:
        wire = Wire("")

        async def pass_on(request: web.Request) -> web.Response:
            body = await request.read()
            headers = {"Content-Type": request.headers.get("Content-Type", "application/json")}
            async with session.request(
                request.method, server + request.path, data=body, headers=headers
            ) as answer:
                said = await answer.read()
                wire.exchanges.append(Exchange(answer.status, _parsed(body), _parsed(said)))
                return web.Response(
                    body=said, status=answer.status, content_type=answer.content_type
                )

        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_route("*", "/{path:.*}", pass_on)
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            wire.url = f"http://127.0.0.1:{port}"
            yield wire
        finally:
            await runner.cleanup()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
