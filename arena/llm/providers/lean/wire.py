"""Sends a request by aiohttp and gives back what came, to the byte, whatever it is.

What guards a request that a library makes guards these too: a body is bounded, no redirect is
followed, no cookie is kept, nothing is sent twice (`arena.llm.providers.litellm_transport`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from yarl import URL

from arena.core.threads import Shared
from arena.llm.providers import litellm_wire
from arena.llm.providers.stopwatch import Stopwatch, stopwatch

if TYPE_CHECKING:
    # Its import takes a while, and a run that asks nobody needs none.
    import aiohttp


@dataclass(slots=True)
class Received:
    """What came of a request: the head, the bytes of the body as they came, and the `error` that
    ended it, None where it is whole. Without a `status` no head came. `reused` says that it went
    over a connection that was open before, `answering` how many seconds the error took."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    error: BaseException | None = None
    reused: bool = False
    answering: float = 0.0


class Wire:
    """The connections of one provider's lean requests: one session a loop. `make` makes it, with
    the connections, proxies and certificates that the library would use."""

    def __init__(self, make: Callable[[], aiohttp.ClientSession]) -> None:
        self._make = make
        self._no_limit: aiohttp.ClientTimeout | None = None
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def aclose(self) -> None:
        """Close the connections. Requests that are made later have new ones."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()

    async def send(
        self,
        url: URL,
        headers: Mapping[str, str],
        body: bytes,
        how: Mapping[str, Any],
        most: int,
        hear: Callable[[Received, bytes], None] | None = None,
    ) -> Received:
        """Send one request and take all that comes, at most a chunk more than `most` bytes of it.

        `how` are aiohttp's words for the proxy and the certificates, `hear` is told each chunk as
        it comes. No error of the connection is raised: it is in what was received.
        """
        came = Received()
        session = self._of_loop()
        reused = litellm_wire.watch(session)
        timed = stopwatch()
        timed.preparing()
        try:
            async with session.post(
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                auto_decompress=False,
                timeout=self._no_limit,
                **how,
            ) as response:
                timed.reading()
                came.status, came.headers = response.status, response.headers
                await self._take(response.content, came, timed, most, hear)
        except asyncio.CancelledError as error:
            # One of aiohttp's own is the end of a connection, not of this attempt.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            came.error = error
        except Exception as error:
            came.error = error
        timed.reading()
        if came.error is not None:
            came.reused, came.answering = reused(), timed.answering()
        return came

    async def _take(
        self,
        content: aiohttp.StreamReader,
        came: Received,
        timed: Stopwatch,
        most: int,
        hear: Callable[[Received, bytes], None] | None,
    ) -> None:
        loop = Shared() if hear is not None else None
        while not content.at_eof() and len(came.body) <= most:
            timed.awaiting()
            chunk = await content.readany()
            timed.reading()
            came.body += chunk
            if hear is not None and loop is not None:
                hear(came, chunk)
                await loop.others()

    def _of_loop(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            self._session, self._loop = self._make(), loop
            self._no_limit = import_module("aiohttp").ClientTimeout(
                total=None, sock_connect=None, sock_read=None
            )
        return self._session
