"""Reads a stream of events that is what most streams are: pieces of one text, an end, a usage.

It is read as it comes, so that the time to the first token is known and a burst holds nobody up.
Whatever else comes makes the stream odd: then it is read by the library, from its first byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import orjson

from arena.llm.providers.litellm_transport import Decoder
from arena.llm.providers.protocol import Answer

_DATA = b"data:"


class Pieces(Protocol):
    """What an answer is put together from. `begun` says that something of it has come, `passed`
    how lines begin that say nothing which is read."""

    begun: bool

    @property
    def passed(self) -> tuple[bytes, ...]: ...

    def take(self, said: Any) -> bool:
        """Take what an event says; whether that is plain."""
        ...

    def answer(self, headers: Mapping[str, str], prefix: str, first: float | None) -> Answer | None:
        """The answer, if it is plain and whole; `first` are the milliseconds to its first piece."""
        ...


@dataclass(slots=True)
class PlainStream:
    """A stream of server-sent events as it comes, whose data is JSON."""

    now: Callable[[], float]
    pieces: Pieces
    decoder: Decoder | None = None
    first_token_ms: float | None = None
    odd: bool = False
    _left: bytes = b""

    def hear(self, chunk: bytes) -> None:
        """Take bytes as they came."""
        if self.odd:
            return
        try:
            for piece in (chunk,) if self.decoder is None else self.decoder.pieces(chunk):
                *lines, self._left = (self._left + piece).split(b"\n")
                for line in lines:
                    if not self._line(line.rstrip(b"\r")):
                        self.odd = True
                        return
        except httpx.DecodingError:
            self.odd = True

    def answer(self, headers: Mapping[str, str], prefix: str) -> Answer | None:
        """The answer, when all has come; None for a stream that is not plain, or not whole."""
        if self.odd or self._left.strip():
            return None
        return self.pieces.answer(headers, prefix, self.first_token_ms)

    def _line(self, line: bytes) -> bool:
        """Whether a line is plain."""
        if not line or line.startswith(self.pieces.passed):
            return True
        if not line.startswith(_DATA):
            return False
        said = line[len(_DATA) :].strip()
        if said == b"[DONE]":
            return True
        try:
            plain = self.pieces.take(orjson.loads(said))
        except orjson.JSONDecodeError:
            return False
        if self.first_token_ms is None and self.pieces.begun:
            self.first_token_ms = self.now()
        return plain
