"""Puts odd answers in Anthropic's and Google's own protocols into the form that LiteLLM reads.

Of both only the fields that are read are kept, each with the one type that it may have; what was
said stays, in whatever form it came.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from arena.llm.failures.inside import Heard

_LONGEST_NAME = 256
_MOST_TOKENS = 10**9
_MOST_REASONS = 100

_GOOGLE_COUNTS = (
    "promptTokenCount",
    "candidatesTokenCount",
    "totalTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "toolUsePromptTokenCount",
)
_GOOGLE_DETAILS = ("promptTokensDetails", "candidatesTokensDetails", "cacheTokensDetails")
_ANTHROPIC_COUNTS = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)
_ANTHROPIC_DELTAS = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
_NO_TEXT = {"type": "text", "text": ""}


def native_form(answer: Mapping[str, Any], heard: Heard | None) -> dict[str, Any] | None:
    """A whole answer, or what one event of a stream says, as LiteLLM reads it; None for another
    protocol, and where there is no answer but an error. `heard` takes why it ended."""
    kind = answer.get("type")
    if isinstance(answer.get("candidates"), list) or "promptFeedback" in answer:
        return _google(answer, heard)
    if kind == "message" or ("content" in answer and "stop_reason" in answer):
        return _message(answer, heard)
    if kind == "message_stop" and heard is not None:
        heard.done = True
    if isinstance(kind, str) and kind in _EVENTS:
        return _EVENTS[kind](answer, heard)
    if isinstance(kind, str) and "index" in answer and "delta" not in answer:
        # An event that a later version of the protocol brings.
        return {"type": "ping"}
    return None


def as_events(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A whole answer, as `native_form` leaves it, where a stream was asked for."""
    if answer.get("type") != "message":
        yield dict(answer)
        return
    yield {"type": "message_start", "message": {**answer, "content": [], "stop_reason": None}}
    for place, block in enumerate(answer["content"]):
        yield {"type": "content_block_start", "index": place, "content_block": _begun(block)}
        for kind, name in _ANTHROPIC_DELTAS.items():
            said = json.dumps(block["input"]) if name == "partial_json" and "input" in block else ""
            if said := block.get(name) or said:
                delta = {"type": kind, name: said}
                yield {"type": "content_block_delta", "index": place, "delta": delta}
        yield {"type": "content_block_stop", "index": place}
    delta = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": answer["usage"]}
    yield {"type": "message_stop"}


def _begun(block: Mapping[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {name: empty.get(name, value) for name, value in block.items()}


# Google's.


def _google(answer: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    listed = answer.get("candidates")
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    usage = _google_usage(answer.get("usageMetadata"))
    put: dict[str, Any] = {
        "candidates": [_candidate(one, place) for place, one in enumerate(found)],
        "usageMetadata": usage,
    }
    for name in ("modelVersion", "responseId"):
        if word := short_word(answer.get(name)):
            put[name] = word
    feedback = answer.get("promptFeedback")
    blocked = short_word(feedback.get("blockReason")) if isinstance(feedback, dict) else None
    if blocked and not any(_said(one) for one in put["candidates"]):
        put["promptFeedback"] = {"blockReason": blocked}
    else:
        blocked = None
    if heard is not None:
        ended = short_word(found[0].get("finishReason")) if found else None
        _hear(heard, ended or (blocked and f"block: {blocked}"), answer.get("error"))
        heard.choices |= bool(found)
        if isinstance(answer.get("usageMetadata"), dict):
            # A count of zero is left out.
            counted = usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)
            heard.no_tokens = counted == 0
    return put


def _said(candidate: Mapping[str, Any]) -> bool:
    return any(part.get("text") or "functionCall" in part for part in candidate["content"]["parts"])


def _candidate(candidate: Mapping[str, Any], place: int) -> dict[str, Any]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else content
    kept = [part for part in map(_part, parts if isinstance(parts, list) else [parts]) if part]
    index = candidate.get("index")
    put = {
        "content": {"role": "model", "parts": kept},
        "index": index if type(index) is int else place,
    }
    if reason := short_word(candidate.get("finishReason")):
        put["finishReason"] = reason
    return put


def _part(part: Any) -> dict[str, Any] | None:
    if not isinstance(part, dict):
        text = _text(part)
        return {"text": text} if text else None
    put: dict[str, Any] = {}
    call = part.get("functionCall")
    if isinstance(call, dict) and isinstance(call.get("name"), str):
        arguments = call.get("args")
        put["functionCall"] = {
            "name": call["name"],
            "args": arguments if isinstance(arguments, dict) else {},
        }
    elif text := _text(part.get("text")):
        put["text"] = text
    else:
        return None
    if part.get("thought") in (True, "true"):
        put["thought"] = True
    if isinstance(part.get("thoughtSignature"), str):
        put["thoughtSignature"] = part["thoughtSignature"]
    return put


def _google_usage(usage: Any) -> dict[str, Any]:
    """The counts; zeros, which are unknown, where there are none."""
    given = usage if isinstance(usage, dict) else {}
    counts: dict[str, Any] = counts_of(given, _GOOGLE_COUNTS)
    for name in _GOOGLE_DETAILS:
        details = given.get(name)
        if isinstance(details, list):
            counts[name] = [
                {"modality": one["modality"], "tokenCount": count}
                for one in details
                if isinstance(one, dict)
                and isinstance(one.get("modality"), str)
                and (count := _count(one.get("tokenCount"))) is not None
            ]
    return {"promptTokenCount": 0, "totalTokenCount": 0, **counts}


# Anthropic's.


def _message(answer: Mapping[str, Any], heard: Heard | None) -> dict[str, Any] | None:
    content = answer.get("content")
    blocks = content if isinstance(content, list) else [content]
    put = [block for block in map(_block, blocks) if block is not None]
    if isinstance(answer.get("error"), dict) and not put:
        return None
    reason = short_word(answer.get("stop_reason"))
    if heard is not None:
        _hear(heard, reason, answer.get("error"))
        heard.choices = True
        _hear_tokens(heard, answer.get("usage"))
    return {
        "id": short_word(answer.get("id")) or "",
        "type": "message",
        "role": "assistant",
        "model": short_word(answer.get("model")) or "",
        "content": put,
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": _anthropic_usage(answer.get("usage")),
    }


def _block(block: Any) -> dict[str, Any] | None:
    """A part of an answer; None where it says nothing that is read."""
    if not isinstance(block, dict):
        text = _text(block)
        return {"type": "text", "text": text} if text else None
    kind = block.get("type")
    if kind == "thinking":
        return {
            "type": "thinking",
            "thinking": _text(block.get("thinking")),
            "signature": _text(block.get("signature")),
        }
    if kind == "redacted_thinking":
        data = block.get("data")
        return {"type": kind, "data": data} if isinstance(data, str) else None
    if kind == "tool_use":
        named = short_word(block.get("name"))
        called = block.get("input")
        if not named:
            return None
        return {
            "type": "tool_use",
            "id": short_word(block.get("id")) or named,
            "name": named,
            "input": called if isinstance(called, dict) else {},
        }
    if kind not in (None, "text"):
        return None
    return {"type": "text", "text": _text(block.get("text"))}


def _anthropic_usage(usage: Any) -> dict[str, Any]:
    given = usage if isinstance(usage, dict) else {}
    counts: dict[str, Any] = counts_of(given, _ANTHROPIC_COUNTS)
    written = given.get("cache_creation")
    if isinstance(written, dict):
        counts["cache_creation"] = counts_of(written, tuple(map(str, written)))
    details = given.get("output_tokens_details")
    if isinstance(details, dict) and (thought := counts_of(details, ("thinking_tokens",))):
        counts["output_tokens_details"] = thought
    if tier := short_word(given.get("service_tier")):
        counts["service_tier"] = tier
    return {"input_tokens": 0, "output_tokens": 0, **counts}


def _message_start(event: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    message = event.get("message")
    given = message if isinstance(message, dict) else {}
    begun = _message({**given, "content": [], "error": None}, None)
    if heard is not None:
        heard.choices = True
    return {"type": "message_start", "message": begun}


def _block_start(event: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    block = _block(event.get("content_block")) or _NO_TEXT
    return {"type": event["type"], "index": _index(event), "content_block": block}


def _block_delta(event: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    delta = event.get("delta")
    given = delta if isinstance(delta, dict) else {"text": delta}
    kind = str(given.get("type", "text_delta"))
    if kind not in _ANTHROPIC_DELTAS:
        return {"type": "ping"}
    name = _ANTHROPIC_DELTAS[kind]
    put = {"type": kind, name: _text(given.get(name))}
    return {"type": event["type"], "index": _index(event), "delta": put}


def _block_stop(event: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    return {"type": event["type"], "index": _index(event)}


def _message_delta(event: Mapping[str, Any], heard: Heard | None) -> dict[str, Any]:
    delta = event.get("delta")
    reason = short_word(delta.get("stop_reason")) if isinstance(delta, dict) else None
    if heard is not None:
        _hear(heard, reason, None)
        _hear_tokens(heard, event.get("usage"))
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, "stop_sequence": None},
        "usage": _anthropic_usage(event.get("usage")),
    }


_EVENTS = {
    "message_start": _message_start,
    "content_block_start": _block_start,
    "content_block_delta": _block_delta,
    "content_block_stop": _block_stop,
    "message_delta": _message_delta,
}


def _hear_tokens(heard: Heard, usage: Any) -> None:
    if isinstance(usage, dict) and "output_tokens" in usage:
        heard.no_tokens = usage["output_tokens"] == 0


def _hear(heard: Heard, reason: str | None, error: Any) -> None:
    if reason and len(heard.reasons) < _MOST_REASONS:
        heard.reasons.append(reason)
    heard.error = heard.error or error


def _index(event: Mapping[str, Any]) -> int:
    return _count(event.get("index")) or 0


def counts_of(given: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    found = {name: _count(given.get(name)) for name in names}
    return {name: count for name, count in found.items() if count is not None}


def _count(value: Any) -> int | None:
    """A count, which may come as a text or as 5.0."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return math.ceil(value) if 0 <= value <= _MOST_TOKENS else None


def short_word(value: Any) -> str | None:
    """A short word, which may be a number or stand in a list."""
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, str)), None)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value[:_LONGEST_NAME] if isinstance(value, str) else None


def _text(value: Any) -> str:
    """A text, which may be a number, or stand in a list or a field of its name."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_text, value))
    if isinstance(value, dict):
        return _text(value.get("text"))
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
