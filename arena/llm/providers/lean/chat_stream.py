"""Puts a plain answer together from the chunks of a chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    "prompt_filter_results": (list, type(None)),
}
_CHOICE: Mapping[str, tuple[type, ...]] = {
    "index": (int,),
    "delta": (dict,),
    "finish_reason": _TEXT,
    "logprobs": (dict, type(None)),
    "token_ids": (list, type(None)),
    "native_finish_reason": _TEXT,
    "content_filter_results": (dict, type(None)),
}
_DELTA: Mapping[str, tuple[type, ...]] = {"role": _TEXT, "content": _TEXT}


@dataclass(slots=True)
class ChatPieces:
    """The chunks of one answer."""

    begun: bool = False
    passed: tuple[bytes, ...] = (b":",)
    _head: dict[str, Any] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)
    _usages: list[dict[str, Any]] = field(default_factory=list)
    _heard: Heard = field(default_factory=Heard)
    _ended: str | None = None

    def answer(self, headers: Mapping[str, str], prefix: str, first: float | None) -> Answer | None:
        """The answer, if it is plain and whole."""
        text = "".join(self._texts)
        if self._ended is None or not is_plain_text(text):
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
        return Answer(Completion(text, self._ended, usage), stored["model"], stored, first)

    def take(self, said: Any) -> bool:
        """Take a chunk; whether it is plain."""
        if not has_only(said, _CHUNK):
            return False
        choices = said.get("choices")
        if choices is None or len(choices) > 1:
            return False
        if usage := said.get("usage"):
            self._usages.append(usage)
        if not choices:
            self._note(said)
            return True
        choice = choices[0]
        if not has_only(choice, _CHOICE) or choice.get("index"):
            return False
        delta = choice.get("delta")
        if not has_only(delta, _DELTA):
            return False
        self._note(said)
        if text := delta.get("content"):
            if self._ended is not None:
                return False
            self.begun = True
            self._texts.append(text)
        if choice.get("logprobs") or choice.get("token_ids"):
            token_logs.listen(choice, self._heard)
        reason = choice.get("finish_reason")
        if reason is not None:
            if self._ended is not None or reason not in ENDS:
                return False
            self._ended = reason
        return True

    def text_in(self, said: Any) -> str | None:
        """The text of a plain chunk that brings nothing else."""
        choices = said.get("choices")
        if not choices or said.get("usage"):
            return None
        choice = choices[0]
        if choice.get("logprobs") or choice.get("token_ids") or choice.get("finish_reason"):
            return None
        text: str | None = (choice.get("delta") or {}).get("content")
        return text

    def say(self, text: str) -> bool:
        """Take a chunk like the one before, with this text."""
        if self._ended is not None:
            return False
        if text:
            self._texts.append(text)
        return True

    def _note(self, chunk: Mapping[str, Any]) -> None:
        """Who answers, as far as any chunk says it."""
        if not self._head:
            self._head = {name: chunk[name] for name in ("id", "created") if name in chunk}
        for name in ("model", "system_fingerprint", "service_tier", "provider"):
            if (value := chunk.get(name)) and name not in self._head:
                self._head[name] = value
