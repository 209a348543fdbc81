"""Reads what was received in the dialect of its provider, where it is plain."""

from __future__ import annotations

import httpx

from arena.llm.providers.lean.dialect import Dialect, Stream
from arena.llm.providers.lean.wire import Received
from arena.llm.providers.litellm_transport import MOST, Decoder, decoder
from arena.llm.providers.protocol import Answer
from arena.llm.providers.stopwatch import stopwatch


def begun(dialect: Dialect) -> Stream:
    """A stream whose request is sent now."""
    timed = stopwatch()
    assert dialect.stream is not None
    return dialect.stream(lambda: timed.answering() * 1e3)


def hear(stream: Stream, came: Received, chunk: bytes) -> None:
    """Tell a stream of bytes that came."""
    encoding = came.headers.get("content-encoding", "").strip().lower()
    if encoding and stream.decoder is None:
        stream.decoder = decoder(encoding)
        stream.odd = stream.decoder is None
    stream.hear(chunk)


def read(dialect: Dialect, came: Received, stream: Stream | None, prefix: str) -> Answer | None:
    """The answer that came, if it is plain."""
    if came.error is not None or came.status != 200:
        return None
    kind = came.headers.get("content-type", "").lower()
    if stream is not None:
        return stream.answer(came.headers, prefix) if dialect.streamed in kind else None
    if "json" not in kind:
        return None
    encoding = came.headers.get("content-encoding", "").strip().lower()
    body = bytes(came.body)
    if encoding:
        decoding = decoder(encoding)
        body = b"" if decoding is None else _decoded(decoding, body)
    return dialect.read(body, came.headers, prefix)


def _decoded(decoding: Decoder, body: bytes) -> bytes:
    """A body, decoded; empty for one that is broken or too large."""
    whole = bytearray()
    try:
        for piece in decoding.pieces(body):
            whole += piece
            if len(whole) > MOST:
                return b""
        decoding.finish()
    except httpx.DecodingError:
        return b""
    return bytes(whole)
