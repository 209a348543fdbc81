"""The dialect of Anthropic's messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from arena.llm.providers.lean.counted import answer_of, count_on, is_count, is_maybe_count
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.plain import has_only, is_plain_text
from arena.llm.providers.lean.stream import PlainStream
from arena.llm.providers.protocol import Answer
from arena.llm.providers.usage import read_usage, reported

_TEXT = (str, type(None))
_ENDS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}
_MESSAGE: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "type": (str,),
    "role": (str,),
    "model": (str,),
    "content": (list,),
    "stop_reason": _TEXT,
    "stop_sequence": _TEXT,
    "usage": (dict,),
}
_BLOCK: Mapping[str, tuple[type, ...]] = {"type": (str,), "text": (str,)}
_THOUGHT: Mapping[str, tuple[type, ...]] = {
    "type": (str,),
    "thinking": (str,),
    "signature": _TEXT,
}
_USAGE: Mapping[str, tuple[type, ...]] = {
    "input_tokens": (int, type(None)),
    "output_tokens": (int,),
    "cache_creation_input_tokens": (int, type(None)),
    "cache_read_input_tokens": (int, type(None)),
    "cache_creation": (dict, type(None)),
    "output_tokens_details": (dict, type(None)),
    "service_tier": _TEXT,
    "inference_geo": _TEXT,
}
_WRITTEN = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def answers(model: str) -> list[dict[str, Any]]:
    """Plain answers, each with other fields than the one before."""
    plain: dict[str, Any] = {
        "id": "msg_probe1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": "[3] It is I."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 7},
    }
    more = {
        **plain,
        "content": [
            {"type": "thinking", "thinking": "Hm.\n\U0001f43a", "signature": "c2ln"},
            {"type": "text", "text": " é\n<b>"},
            {"type": "text", "text": "\U0001f43a</b>\n"},
        ],
        "stop_reason": "max_tokens",
        "usage": {
            "input_tokens": 20,
            "cache_creation_input_tokens": 128,
            "cache_read_input_tokens": 1_024,
            "cache_creation": dict(zip(_WRITTEN, (100, 28), strict=True)),
            "output_tokens": 90,
            "output_tokens_details": {"thinking_tokens": 64},
            "service_tier": "standard",
        },
    }
    return [plain, more]


def events(answer: Mapping[str, Any]) -> bytes:
    """A plain answer as a stream of events: its blocks in pieces, why it ended, what it took."""
    usage = answer["usage"]
    begun = {**answer, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    said: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(answer["content"]):
        name = "thinking" if block["type"] == "thinking" else "text"
        empty = {**block, name: ""} | ({"signature": ""} if name == "thinking" else {})
        said.append({"type": "content_block_start", "index": index, "content_block": empty})
        deltas = [
            {"type": f"{name}_delta", name: one} for one in (block[name][:3], block[name][3:])
        ]
        if "signature" in block:
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        said += [{"type": "content_block_delta", "index": index, "delta": one} for one in deltas]
        said.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    said += [{"type": "message_delta", "delta": ended, "usage": usage}, {"type": "message_stop"}]
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one).encode())
        for one in said
    )


def read(body: bytes, headers: Mapping[str, str], prefix: str) -> Answer | None:
    """A body as an answer, if it is plain."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not _is_message(answer) or answer.get("stop_reason") not in _ENDS:
        return None
    said: list[str] = []
    thought: list[str] = []
    for block in answer["content"]:
        kind = block.get("type") if type(block) is dict else None
        if kind == "text" and has_only(block, _BLOCK) and "text" in block:
            said.append(block["text"])
        elif kind == "thinking" and has_only(block, _THOUGHT) and "thinking" in block:
            thought.append(block["thinking"])
        else:
            return None
    return _answer(answer, said, thought, answer["stop_reason"], [answer["usage"]], headers, prefix)


def _is_message(answer: Any) -> bool:
    return (
        has_only(answer, _MESSAGE)
        and answer.get("type") == "message"
        and answer.get("role") == "assistant"
        and "model" in answer
        and "content" in answer
        and is_plain_usage(answer.get("usage"))
    )


def is_plain_usage(usage: Any) -> bool:
    """Whether a usage has nothing but counts of tokens, and that of the answer."""
    if not has_only(usage, _USAGE) or "output_tokens" not in usage:
        return False
    for name, value in usage.items():
        if name.endswith("_tokens") and not is_maybe_count(value):
            return False
    written = usage.get("cache_creation") or {}
    return all(map(is_count, written.values())) and written.keys() <= set(_WRITTEN)


def _answer(
    head: Mapping[str, Any],
    said: Sequence[str],
    thought: Sequence[str],
    ended: str,
    usages: Sequence[Mapping[str, Any]],
    headers: Mapping[str, str],
    prefix: str,
    first_token_ms: float | None = None,
) -> Answer | None:
    text, thoughts = "".join(said), "".join(thought)
    if not is_plain_text(text):
        return None
    told = [_told(usage, bool(thought)) for usage in usages]
    if None in told or not told[-1]["prompt_tokens"]:  # type: ignore[index]
        return None
    if not count_on([usage["output_tokens"] for usage in usages], len(said) + len(thought)):
        return None
    chunks = [{"usage": one} for one in told]
    whole = chunks[0]["usage"] if len(told) == 1 else reported(chunks, len(said) + len(thought))
    usage = read_usage(whole, said=True)
    return answer_of(head, (text, thoughts), _ENDS[ended], usage, headers, prefix, first_token_ms)


def _told(usage: Mapping[str, Any], thought: bool) -> dict[str, Any] | None:
    """A usage in the words of chat completions; None where thoughts are not counted."""
    details = usage.get("output_tokens_details") or {}
    reasoning = details.get("thinking_tokens")
    if details and not is_count(reasoning):
        return None
    if thought and reasoning is None:
        return None
    read_from = usage.get("cache_read_input_tokens") or 0
    written = usage.get("cache_creation_input_tokens") or 0
    prompt = (usage.get("input_tokens") or 0) + read_from + written
    return {
        "prompt_tokens": prompt,
        "completion_tokens": usage["output_tokens"],
        "total_tokens": prompt + usage["output_tokens"],
        "prompt_tokens_details": {
            "cached_tokens": read_from,
            "cache_creation_tokens": written,
            "cache_creation_token_details": usage.get("cache_creation"),
        },
        "completion_tokens_details": {
            "reasoning_tokens": min(reasoning or 0, usage["output_tokens"])
        },
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read_from,
    }


@dataclass(slots=True)
class MessagePieces:
    """The events of one message."""

    begun: bool = False
    passed: tuple[bytes, ...] = (b":", b"event:")
    _head: dict[str, Any] = field(default_factory=dict)
    _said: list[str] = field(default_factory=list)
    _thought: list[str] = field(default_factory=list)
    _usage: dict[str, Any] = field(default_factory=dict)
    _usages: list[dict[str, Any]] = field(default_factory=list)
    _ended: str | None = None
    _over: bool = False

    def take(self, said: Any) -> bool:
        """Take an event; whether it is plain."""
        kind = said.get("type") if type(said) is dict else None
        if self._over or (self._ended is not None and kind != "message_stop"):
            return kind == "ping"
        if kind == "content_block_delta":
            return self._delta(said.get("delta"))
        if kind == "content_block_start":
            return self._block(said.get("content_block"))
        if kind in ("ping", "content_block_stop"):
            return True
        if kind == "message_start":
            self._head = said.get("message") or {}
            return (
                _is_message(self._head)
                and not self._head["content"]
                and self._count(self._head["usage"])
            )
        if kind == "message_delta":
            delta = said.get("delta")
            if not has_only(delta, {"stop_reason": (str,), "stop_sequence": _TEXT}):
                return False
            self._ended = delta.get("stop_reason")
            return self._ended in _ENDS and self._count(said.get("usage"))
        self._over = kind == "message_stop"
        return self._over and self._ended is not None

    def _block(self, block: Any) -> bool:
        if type(block) is not dict or block.get("type") not in ("text", "thinking"):
            return False
        return has_only({**block, "type": ""}, {"type": (str,)})

    def _delta(self, delta: Any) -> bool:
        kind = delta.get("type") if type(delta) is dict else None
        if kind == "text_delta" and type(delta.get("text")) is str:
            self._said.append(delta["text"])
            self.begun |= bool(delta["text"])
        elif kind == "thinking_delta" and type(delta.get("thinking")) is str:
            self._thought.append(delta["thinking"])
            self.begun |= bool(delta["thinking"])
        elif kind != "signature_delta":
            return False
        return len(delta) == 2

    def _count(self, usage: Any) -> bool:
        """Take a usage, which repeats those before, but for what it leaves out."""
        if not is_plain_usage(usage):
            return False
        self._usage = {**self._usage, **usage}
        self._usages.append(self._usage)
        return True

    def text_in(self, said: Any) -> str | None:
        """The text of a plain event that brings nothing else."""
        delta = said.get("delta") or {}
        text: str | None = delta.get("text") if said.get("type") == "content_block_delta" else None
        return text

    def say(self, text: str) -> bool:
        """Take an event like the one before, with this text."""
        if self._over or self._ended is not None:
            return False
        self._said.append(text)
        return True

    def answer(self, headers: Mapping[str, str], prefix: str, first: float | None) -> Answer | None:
        """The answer, if it is plain and whole."""
        if not self._over or self._ended is None or not self._head:
            return None
        return _answer(
            self._head,
            self._said,
            self._thought,
            self._ended,
            self._usages,
            headers,
            prefix,
            first,
        )


def stream(now: Callable[[], float]) -> PlainStream:
    """A stream of events, as it comes."""
    return PlainStream(now, MessagePieces())


ANTHROPIC = Dialect("Anthropic's messages", answers, read, events, stream)
