"""Reads Amazon's streams of events, whose frames are binary, as they come."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import orjson

from arena.llm.providers.lean.stream import LONGEST_EVENT, Pieces
from arena.llm.providers.litellm_transport import Decoder
from arena.llm.providers.protocol import Answer

KIND = "application/vnd.amazon.eventstream"
_TEXT = 7  # the type of a header that is a text


@dataclass(slots=True)
class FrameStream:
    """A stream of frames as it comes, whose data is JSON."""

    now: Callable[[], float]
    pieces: Pieces
    decoder: Decoder | None = None
    first_token_ms: float | None = None
    odd: bool = False
    _size: int = 0
    _buffer: Any = field(default_factory=lambda: _buffer())

    def hear(self, chunk: bytes) -> None:
        """Take bytes as they came."""
        if self.odd:
            return
        if self.decoder is not None or self._buffer is None:
            self.odd = True
            return
        try:
            self._size += len(chunk)
            if self._size > LONGEST_EVENT + len(chunk):
                self.odd, self._buffer = True, None
                return
            self._buffer.add_data(chunk)
            for frame in self._buffer:
                self._size -= frame.prelude.total_length
                if not self._frame(frame.headers, frame.payload):
                    self.odd = True
                    return
        except Exception:
            # Whatever is wrong with a frame is the library's to say.
            self.odd = True

    def _frame(self, headers: Mapping[str, Any], payload: bytes) -> bool:
        """Whether a frame is plain."""
        if headers.get(":message-type") != "event" or ":event-type" not in headers:
            return False
        plain = self.pieces.take({headers[":event-type"]: orjson.loads(payload)})
        if self.first_token_ms is None and self.pieces.begun:
            self.first_token_ms = self.now()
        return plain

    def answer(self, headers: Mapping[str, str], prefix: str) -> Answer | None:
        """The answer, when all has come; None for a stream that is not plain, or not whole."""
        return (
            None
            if self.odd or self._size
            else self.pieces.answer(headers, prefix, self.first_token_ms)
        )


def frame_of(kind: str, data: Any) -> bytes:
    """An event of this kind as a frame (Amazon's event stream encoding: lengths, headers, payload,
    each part with its CRC32)."""
    texts = {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}
    headers = b"".join(
        struct.pack(">B", len(name))
        + name.encode()
        + struct.pack(">BH", _TEXT, len(text))
        + text.encode()
        for name, text in texts.items()
    )
    payload = orjson.dumps(data)
    lengths = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = lengths + struct.pack(">I", zlib.crc32(lengths)) + headers + payload
    return whole + struct.pack(">I", zlib.crc32(whole))


def _buffer() -> Any:
    """What reads frames; None without Amazon's library, which LiteLLM needs for them as well."""
    try:
        return import_module("botocore.eventstream").EventStreamBuffer()
    except ImportError:
        return None
