"""Reads a stream of events that is what most streams are: pieces of one text, an end, a usage.

It is read as it comes, so that the time to the first token is known and a burst holds nobody up.
Whatever else comes makes the stream odd: then it is read by the library, from its first byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from arena.core import Completion
from arena.llm.failures.inside import Heard
from arena.llm.providers import token_logs
from arena.llm.providers.lean.plain import (
    ENDS,
    has_only,
    is_plain_text,
    is_plain_usage,
    stored_answer,
    usage_of,
)
from arena.llm.providers.litellm_transport import Decoder
from arena.llm.providers.protocol import Answer
from arena.llm.providers.usage import read_usage, reported

_TEXT = (str, type(None))
_CHUNK: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "object": (str,),
    "created": (int,),
    "model": (str,),
    "system_fingerprint": _TEXT,
    "service_tier": _TEXT,
    "provider": (str,),
    "choices": (list,),
    "usage": (dict, type(None)),
    "x_groq": (dict, type(None)),
    # Noise that hides the length of a piece.
    "obfuscation": _TEXT,
}
_CHOICE: Mapping[str, tuple[type, ...]] = {
    "index": (int,),
    "delta": (dict,),
    "finish_reason": _TEXT,
    "logprobs": (dict, type(None)),
    "token_ids": (list, type(None)),
}
_DELTA: Mapping[str, tuple[type, ...]] = {"role": _TEXT, "content": _TEXT}
_DATA = b"data:"


@dataclass(slots=True)
class PlainStream:
    """A stream as it comes. `now` gives the milliseconds since the request has left."""

    now: Callable[[], float]
    decoder: Decoder | None = None
    first_token_ms: float | None = None
    odd: bool = False
    _left: bytes = b""
    _head: dict[str, Any] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)
    _usages: list[dict[str, Any]] = field(default_factory=list)
    _heard: Heard = field(default_factory=Heard)
    _ended: str | None = None

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
        text = "".join(self._texts)
        if self.odd or self._left.strip() or self._ended is None or not is_plain_text(text):
            return None
        if not self._usages or not all(map(is_plain_usage, self._usages)):
            return None
        if len(self._usages) == 1:
            usage, counts = usage_of(self._usages[0])
        else:
            chunks = [{"usage": one} for one in self._usages]
            usage, counts = read_usage(reported(chunks, len(self._texts)), said=True)
        stored = stored_answer(self._head, text, self._ended, counts, headers, prefix)
        stored |= token_logs.recorded_tokens(self._heard)
        return Answer(
            Completion(text, self._ended, usage), stored["model"], stored, self.first_token_ms
        )

    def _line(self, line: bytes) -> bool:
        """Whether a line is plain."""
        if not line or line.startswith(b":"):
            return True
        if not line.startswith(_DATA):
            return False
        said = line[len(_DATA) :].strip()
        if said == b"[DONE]":
            return True
        try:
            chunk = orjson.loads(said)
        except orjson.JSONDecodeError:
            return False
        return self._chunk(chunk)

    def _chunk(self, chunk: Any) -> bool:
        if not has_only(chunk, _CHUNK):
            return False
        choices = chunk.get("choices")
        if choices is None or len(choices) > 1:
            return False
        if usage := chunk.get("usage"):
            self._usages.append(usage)
        if not choices:
            self._note(chunk)
            return True
        choice = choices[0]
        if not has_only(choice, _CHOICE) or choice.get("index"):
            return False
        delta = choice.get("delta")
        if not has_only(delta, _DELTA):
            return False
        self._note(chunk)
        if text := delta.get("content"):
            if self._ended is not None:
                return False
            if self.first_token_ms is None:
                self.first_token_ms = self.now()
            self._texts.append(text)
        if choice.get("logprobs") or choice.get("token_ids"):
            token_logs.listen(choice, self._heard)
        reason = choice.get("finish_reason")
        if reason is not None:
            if self._ended is not None or reason not in ENDS:
                return False
            self._ended = reason
        return True

    def _note(self, chunk: Mapping[str, Any]) -> None:
        """Who answers, as far as any chunk says it."""
        if not self._head:
            self._head = {name: chunk[name] for name in ("id", "created") if name in chunk}
        for name in ("model", "system_fingerprint", "service_tier", "provider"):
            if (value := chunk.get(name)) and name not in self._head:
                self._head[name] = value
