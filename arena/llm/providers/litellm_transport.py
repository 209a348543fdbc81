"""What every request of ours and its response pass through in LiteLLM: once, bounded, never
redirected. What others in this process ask LiteLLM passes as it did.

- A body is decoded here, piece by piece, and refused as soon as it is larger than an answer can be:
  a few kilobytes may claim to be gigabytes.
- A redirect comes back as the failure that it is: to follow it would take the key to wherever the
  server says.
- An attempt sends one request to one address, whatever LiteLLM would like to send again by itself:
  what is sent is what is on record, and may be paid for.
- No cookie is kept: what one request was answered is not sent with the next.
- A connection that was kept open may have been closed at the other end: a request that it does not
  take is told apart from one that was lost, which may be paid for.
- Lawful answers that LiteLLM cannot read are put into a form that it can
  (`arena.llm.providers.normalize`).
"""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, NoReturn

import httpx

from arena.core.threads import Shared
from arena.llm.failures.inside import Heard
from arena.llm.providers import litellm_wire
from arena.llm.providers.normalize import as_stream, lawful, lawful_events
from arena.llm.providers.stopwatch import stopwatch, unwatched

# Decoded bytes of one response: the longest answers of any model are under a megabyte.
MOST = 16 * 2**20
_PIECE = 65_536
# Bytes of events that are read in a few milliseconds.
_EVENTS = 16_384

# Seconds in which a connection that the server has closed says so; no answer is computed in them.
AT_ONCE = 1.0

_STREAM = re.compile(rb'"stream"\s*:\s*true')

Send = Callable[[Any, httpx.Request], Awaitable[httpx.Response]]
InItsPlace = Callable[[Any, httpx.Request], httpx.Response]
"""Answers a request in the place of a transport; raises what the transport would."""

_sent: ContextVar[set[str] | None] = ContextVar("sent", default=None)
_heard: ContextVar[Heard | None] = ContextVar("heard", default=None)
_answer: ContextVar[InItsPlace | None] = ContextVar("answer", default=None)


class OversizedBody(httpx.DecodingError):
    """A response is larger than an answer can be."""


class NotTaken(httpx.NetworkError):
    """A connection that was kept open was closed before it took the request."""


class SentTwice(RuntimeError):
    """LiteLLM tried to send a request of an attempt again by itself."""


@contextmanager
def one_attempt() -> Iterator[Heard]:
    """Inside, a request is ours: one goes to each address, another one raises SentTwice instead,
    and LiteLLM logs nothing of it below a critical error. What comes out is what the response says
    that LiteLLM leaves out."""
    heard = Heard()
    sending, hearing = _sent.set(set()), _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(hearing)
        _sent.reset(sending)


@contextmanager
def answered(answer: InItsPlace) -> Iterator[None]:
    """Inside, a request of ours is answered by `answer`, and nothing is sent. It is bound to the
    context: calls that are made meanwhile elsewhere are sent."""
    token = _answer.set(answer)
    try:
        with unwatched():
            yield
    finally:
        _answer.reset(token)


def nothing_sent() -> bool:
    """Whether no request of the attempt has left so far."""
    return not _sent.get()


def install(litellm: Any, *, most: int = MOST) -> None:
    """Make every asynchronous request of this LiteLLM pass through here; again changes nothing.

    Each of its providers makes its own clients, but all of them on one class of transport; there
    is no setting that reaches them all.
    """
    name = f"{litellm.__name__}.llms.custom_httpx.aiohttp_transport"
    transport = import_module(name).LiteLLMAiohttpTransport
    # It warns of words that it finds in answers, and shows them: escape sequences too.
    logging.getLogger("LiteLLM").addFilter(_is_not_ours)
    if not hasattr(transport.handle_async_request, "guarded"):
        transport.handle_async_request = guarded(transport.handle_async_request, most=most)


def guarded(send: Send, *, most: int = MOST) -> Send:
    """A transport's `handle_async_request` with all of the above around requests of ours."""

    async def handle_async_request(self: Any, request: httpx.Request) -> httpx.Response:
        sent = _sent.get()
        if sent is None:
            return await send(self, request)
        _count(sent, request)
        # What can be decoded in bounded pieces with the standard library.
        request.headers["accept-encoding"] = "gzip, deflate"
        answer = _answer.get()
        if answer is not None:
            return _received(request, answer(self, request), most)
        reused = litellm_wire.watch(getattr(self, "get_valid_client_session", lambda: None)())
        timed = stopwatch()
        timed.preparing()
        try:
            response = await send(self, request)
        except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise_lost(error, request, at_once=reused() and timed.answering() < AT_ONCE)
        timed.reading()
        return _received(request, response, most)

    handle_async_request.guarded = True  # type: ignore[attr-defined]
    return handle_async_request


def raise_lost(error: httpx.HTTPError, request: httpx.Request, *, at_once: bool) -> NoReturn:
    """Raise what a lost request is: `at_once` says that a connection which was open before said so
    as soon as it was used."""
    if _closed_while_idle(error, at_once):
        raise NotTaken(str(error), request=request) from error
    if isinstance(error, httpx.ConnectError | httpx.RemoteProtocolError):
        # LiteLLM takes these two for requests that were never sent, and sends again.
        raise httpx.NetworkError(str(error), request=request) from error
    raise error


def _closed_while_idle(error: httpx.HTTPError, reused_at_once: bool) -> bool:
    # aiohttp's, when a connection is closing before all of the request is written.
    name = type(error.__cause__).__name__
    return name == "ClientConnectionResetError" or (
        reused_at_once and name in ("ServerDisconnectedError", "ClientOSError")
    )


def _is_not_ours(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.CRITICAL or _sent.get() is None


def _count(sent: set[str], request: httpx.Request) -> None:
    address = f"{request.method} {request.url}"
    if address in sent:
        raise SentTwice("an attempt sends one request; LiteLLM would have sent a second")
    sent.add(address)


def _received(request: httpx.Request, response: httpx.Response, most: int) -> httpx.Response:
    headers = response.headers
    # httpx follows what has both: a status of 3xx and this header.
    headers.pop("location", None)
    headers.pop("set-cookie", None)
    encoding = headers.pop("content-encoding", "").strip().lower()
    kind = headers.get("content-type", "").lower()
    claimed = headers.pop("content-length", "") if encoding else headers.get("content-length", "")
    lines = "ndjson" in kind or "jsonl" in kind
    json = "json" in kind and not lines
    if json:
        # JSON is UTF-8, whatever else a server says it is (RFC 8259, section 8.1).
        headers["content-type"] = "application/json"
    form = None
    if json and response.status_code == 200:
        streamed = _STREAM.search(request.content) or "streamGenerate" in request.url.path
        form = as_stream if streamed else lawful
    events = ("event-stream" in kind or lines) and response.status_code == 200
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    size = int(claimed) if claimed.isdecimal() else 0
    response.stream = _Bounded(stream, decoder(encoding), most, size, form=form, events=events)
    return response


class _Bounded(httpx.AsyncByteStream):
    """A body, decoded. Raises OversizedBody before more than `most` bytes of it are held, or at
    once if it is `claimed` to be that long. One with a `form` comes in one piece and in that form,
    `events` come in whole lines that LiteLLM can read."""

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        decoder: Decoder | None,
        most: int,
        claimed: int,
        *,
        form: Callable[[bytes, Heard | None], bytes] | None,
        events: bool,
    ) -> None:
        self._stream = stream
        self._decoder = decoder
        self._most = most
        self._form = form
        self._events = events
        self._claimed = claimed
        self._heard = _heard.get()
        self._stopwatch = stopwatch()
        self._taken = 0

    def _take(self, size: int) -> None:
        self._taken += size
        if self._taken > self._most:
            raise OversizedBody(
                f"the response is larger than {self._most / 2**20:g} MiB; no answer is"
            )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._claimed > self._most:
            self._take(self._claimed)
        body = bytearray()
        loop = Shared()
        try:
            async for chunk in self._chunks():
                for piece in (chunk,) if self._decoder is None else self._decoder.pieces(chunk):
                    self._take(len(piece))
                    if self._form is not None or self._events:
                        body += piece
                    else:
                        yield piece
                    if self._events and (left := _behind_the_last_line(piece)) < len(piece):
                        end = len(body) - left
                        lines = bytes(body[:end])
                        del body[:end]
                        for some in _some_events(lines):
                            yield lawful_events(some, self._heard)
                            await loop.others()
            if self._decoder is not None:
                self._decoder.finish()
            if self._form is not None:
                yield self._form(bytes(body), self._heard)
            elif body:
                # The last line of events, which has no end of its own.
                yield lawful_events(bytes(body), self._heard)
        finally:
            # An error keeps this frame alive, for as long as LiteLLM keeps the error.
            body.clear()

    async def _chunks(self) -> AsyncIterator[bytes]:
        """The chunks as they come; the stopwatch is told of each wait."""
        timed = self._stopwatch
        timed.awaiting()
        async for chunk in self._stream:
            timed.reading()
            yield chunk
            timed.awaiting()
        timed.reading()

    async def aclose(self) -> None:
        await self._stream.aclose()


def _some_events(lines: bytes) -> Iterator[bytes]:
    """Whole lines, and where it can be seen whole events, some of them at a time."""
    start = 0
    while start < len(lines):
        end = lines.rfind(b"\n\n", start, start + _EVENTS) + 2
        if end < start + 2:
            end = lines.rfind(b"\n", start, start + _EVENTS) + 1
        if end <= start:
            end = lines.find(b"\n", start) + 1 or len(lines)
        yield lines[start:end]
        start = end


def _behind_the_last_line(piece: bytes) -> int:
    """How many bytes stand behind the last end of a line."""
    return len(piece) - 1 - max(piece.rfind(b"\n"), piece.rfind(b"\r"))


class Decoder:
    """gzip and deflate (RFC 9110, section 8.4.1), a piece of bounded size at a time."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._begun = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What the next bytes decode to. Raises httpx.DecodingError."""
        while chunk and not self._zlib.eof:
            yield self._piece(chunk)
            chunk = self._zlib.unconsumed_tail

    def _piece(self, chunk: bytes) -> bytes:
        begun, self._begun = self._begun, True
        try:
            return self._zlib.decompress(chunk, _PIECE)
        except zlib.error as error:
            if begun:
                raise httpx.DecodingError(str(error)) from error
        # Some servers send deflate without its header.
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._piece(chunk)

    def finish(self) -> None:
        """Raises httpx.DecodingError for a body that ended too early."""
        if not self._zlib.eof:
            raise httpx.DecodingError("the compressed response ended before its end")


_DECODED = re.compile(r"(?:x-)?gzip|deflate")


def decoder(encoding: str) -> Decoder | None:
    """What decodes a body of this content-encoding; None for one that was not asked for."""
    # Anything else was not asked for; a body that really has it cannot be read.
    return Decoder() if _DECODED.fullmatch(encoding) else None
