"""Calls a program over HTTP: one signed POST a message, one bounded answer, never redirected.

A connection that cannot be opened or breaks is nobody's fault, and neither is a gateway in between;
what the program itself answers is its own. Nothing is decompressed: a program is asked for plain
bytes, and what comes in another coding is no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import orjson

from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.pacing.deadlines import within
from arena.llm.providers.stopwatch import Stopwatch, stopwatch
from arena.remote.protocol import HELLO, MOST, Malfunction, hello
from arena.remote.signing import signed

if TYPE_CHECKING:
    import aiohttp

# Seconds for a connection to open.
CONNECT = 10.0

# What a proxy before the program says of it, and what asks for patience: tried again.
_NOBODYS = {
    408: FaultKind.TIMEOUT,
    425: FaultKind.SERVER,
    429: FaultKind.RATE_LIMIT,
    502: FaultKind.SERVER,
    503: FaultKind.OVERLOADED,
    504: FaultKind.TIMEOUT,
}
# Nothing will be played until a person mends the file, the secret or the server.
_STOP = {
    401: FaultKind.KEY,
    403: FaultKind.KEY,
    404: FaultKind.MODEL,
    405: FaultKind.MODEL,
    410: FaultKind.MODEL,
}


class HttpProgram:
    """A program at an address. `secret` reads the secret when it is needed, None without one;
    `limit` is the seconds that one answer may take."""

    def __init__(self, url: str, secret: Callable[[], str | None], limit: float) -> None:
        self._url = url
        self._secret = secret
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def hello(self) -> bytes:
        """Who the program says it is. Raises Fault where it says nothing of the kind, or an error
        of the network's."""
        try:
            async with within(HELLO, stopwatch().lag):
                return await self._post(orjson.dumps(hello()), None)
        except TimeoutError:
            raise Fault(
                "NoHello", f"no hello within {HELLO:g} s", kind=FaultKind.UNREACHABLE
            ) from None
        except Malfunction as error:
            raise Fault("NoHello", f"its hello: {error}", kind=FaultKind.MODEL) from None

    async def ask(self, message: Mapping[str, Any]) -> bytes:
        """The answer to a turn. Raises Malfunction where the program failed, Fault or an error of
        the network's where it could not be asked."""
        timed = stopwatch()
        timed.preparing()
        try:
            async with timed.answered_within(self._limit, connected=CONNECT) as scope:
                return await self._post(orjson.dumps(message), timed)
        except TimeoutError:
            if not scope.expired():
                raise
            if not timed.left:
                told = f"no connection within {CONNECT:g} s"
                raise Fault("Timeout", told, kind=FaultKind.UNREACHABLE) from None
            raise Malfunction(f"it gave no answer within {self._limit:g} s") from None

    async def tell(self, message: Mapping[str, Any]) -> None:
        """What needs no answer: one that comes is dropped."""
        await self._post(orjson.dumps(message), None)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None and self._loop is asyncio.get_running_loop():
            await self._session.close()
        self._session = None

    async def _post(self, body: bytes, timed: Stopwatch | None) -> bytes:
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            **signed(self._secret(), body),
        }
        async with self._of_loop().post(
            self._url,
            data=body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=timed,
        ) as response:
            if timed is not None:
                timed.reading()
            _check_status(response.status)
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Malfunction("its answer is compressed; expected plain bytes")
            return await _body(response.content, timed)

    def _of_loop(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is None or self._session.closed or self._loop is not loop:
            library = import_module("aiohttp")
            trace = library.TraceConfig()
            trace.on_request_chunk_sent.append(_left)
            self._session = library.ClientSession(
                auto_decompress=False,
                cookie_jar=library.DummyCookieJar(),
                # How many games ask at once is not for the connections to limit.
                connector=library.TCPConnector(limit=0),
                # Its timers would count the lag of the loop.
                timeout=library.ClientTimeout(total=None),
                trace_configs=[trace],
            )
            self._loop = loop
        return self._session


async def _left(_session: object, context: Any, _params: object) -> None:
    timed = context.trace_request_ctx
    if timed is not None:
        timed.sent()


async def _body(content: aiohttp.StreamReader, timed: Stopwatch | None) -> bytes:
    body = bytearray()
    while not content.at_eof():
        if timed is not None:
            timed.awaiting()
        body += await content.readany()
        if timed is not None:
            timed.reading()
        if len(body) > MOST:
            raise Malfunction(f"it sent more than {MOST // 1024} KiB in one message")
    return bytes(body)


def _check_status(status: int) -> None:
    """Raises Malfunction or Fault for anything that is no answer."""
    if status == 200:
        return
    kind = _NOBODYS.get(status) or _STOP.get(status)
    if kind is not None:
        raise Fault("HTTPError", f"HTTP {status}", kind=kind, status=status)
    if 300 <= status < 400:
        raise Malfunction(f"it answered HTTP {status}: a redirect is not followed")
    raise Malfunction(f"it answered HTTP {status}; expected 200")
