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

from arena.llm.providers.litellm_transport import MOST, Decoder
from arena.llm.providers.protocol import Answer

_DATA = b"data:"
# Bytes of one event, at most: what is said in one is a few words, and all that has come of it is
# looked through again with each chunk.
LONGEST_EVENT = 2**20
# Stands for what a model may say.
_OTHER = b"arena-probe-text"


class Pieces(Protocol):
    """What an answer is put together from. `begun` says that something of it has come."""

    begun: bool

    def take(self, said: Any) -> bool:
        """Take what an event says; whether that is plain."""
        ...

    def answer(self, headers: Mapping[str, str], prefix: str, first: float | None) -> Answer | None:
        """The answer, if it is plain and whole; `first` are the milliseconds to its first piece."""
        ...


class PiecesOfLines(Pieces, Protocol):
    """The same of lines. `passed` is how those begin that say nothing which is read."""

    @property
    def passed(self) -> tuple[bytes, ...]: ...

    def text_in(self, said: Any) -> str | None:
        """The text of a plain event that brings nothing else; None of any other."""
        ...

    def say(self, text: str) -> bool:
        """Take an event like the one before, which brings this text and nothing else."""
        ...


@dataclass(slots=True)
class PlainStream:
    """A stream of server-sent events as it comes, whose data is JSON."""

    now: Callable[[], float]
    pieces: PiecesOfLines
    decoder: Decoder | None = None
    first_token_ms: float | None = None
    odd: bool = False
    _left: bytes = b""
    _taken: int = 0
    _frame: tuple[bytes, bytes] | None = None

    def hear(self, chunk: bytes) -> None:
        """Take bytes as they came."""
        if self.odd:
            return
        try:
            for piece in (chunk,) if self.decoder is None else self.decoder.pieces(chunk):
                self._taken += len(piece)
                if self._taken > MOST or len(self._left) > LONGEST_EVENT:
                    self.odd, self._left = True, b""
                    return
                *lines, self._left = (self._left + piece).split(b"\n")
                for ended in lines:
                    line = ended.rstrip(b"\r")
                    if line and not self._again(line) and not self._line(line):
                        self.odd = True
                        return
        except httpx.DecodingError:
            self.odd = True

    def answer(self, headers: Mapping[str, str], prefix: str) -> Answer | None:
        """The answer, when all has come; None for a stream that is not plain, or not whole."""
        if self.odd or self._left.strip():
            return None
        return self.pieces.answer(headers, prefix, self.first_token_ms)

    def _again(self, line: bytes) -> bool:
        """Whether a line is the one before with another text, which is taken then.

        Most lines of a stream are; what is the same in all of them is read once.
        """
        if self._frame is None:
            return False
        head, tail = self._frame
        if not line.startswith(head) or not line.endswith(tail):
            return False
        try:
            text = orjson.loads(line[len(head) : len(line) - len(tail)])
        except orjson.JSONDecodeError:
            return False
        return type(text) is str and self.pieces.say(text)

    def _line(self, line: bytes) -> bool:
        """Whether a line is plain."""
        if line.startswith(self.pieces.passed):
            return True
        if not line.startswith(_DATA):
            return False
        said = line[len(_DATA) :].strip()
        if said == b"[DONE]":
            return True
        try:
            event = orjson.loads(said)
        except orjson.JSONDecodeError:
            return False
        plain = self.pieces.take(event)
        if self.first_token_ms is None and self.pieces.begun:
            self.first_token_ms = self.now()
        if plain and (text := self.pieces.text_in(event)):
            self._frame = self._around(line, text)
        return plain

    def _around(self, line: bytes, text: str) -> tuple[bytes, bytes] | None:
        """What stands before and behind the text in a line; None where that is not certain."""
        parts = line.split(orjson.dumps(text))
        if len(parts) != 2:
            return None
        head, tail = parts
        # Where another text can stand in its place and is read there, the place is the text's.
        try:
            other = orjson.loads(b'%b"%b"%b' % (head[len(_DATA) :], _OTHER, tail))
        except orjson.JSONDecodeError:
            return None
        return (head, tail) if self.pieces.text_in(other) == _OTHER.decode() else None
