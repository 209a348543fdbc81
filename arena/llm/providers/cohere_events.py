"""Puts the events of Cohere's chat into the lines that LiteLLM reads.

It takes each line of a stream for JSON, those that begin with `event:` and `data:` too, and looks
for the end of an answer in fields that no answer has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from arena.llm.failures.inside import Heard
from arena.llm.providers.native import counts_of, short_word
from arena.llm.providers.unwrap import error_in

_TEXTS = ("content-start", "content-delta")
_CALLS = ("tool-call-start", "tool-call-delta")
_END = "message-end"
_NAMES = ("message-start", *_TEXTS, *_CALLS, _END)
# Lines that stand before the first event of any protocol.
_BEFORE = (b":", b"id:", b"retry:")
_REASONS = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
_COUNTS = ("input_tokens", "output_tokens")


def are_coheres(lines: Iterable[bytes]) -> bool | None:
    """Whether a stream that begins so is one of Cohere's; None where nothing has begun yet."""
    for line in lines:
        if line.startswith(b"event:"):
            return line[6:].strip().decode(errors="replace") in _NAMES
        if line.strip() and not line.startswith(_BEFORE):
            event = _read(line[5:]) if line.startswith(b"data:") else None
            return isinstance(event, dict) and event.get("type") in _NAMES
    return None


def bare_lines(lines: Iterable[bytes], heard: Heard) -> bytes:
    """The lines of a stream of Cohere's as LiteLLM takes them: what was said, calls of tools, the
    end. Of several calls of tools it can read one, which is the first. `heard` takes why it ended.
    """
    found = [line[5:].strip() for line in lines if line.startswith(b"data:")]
    told = [_read(said) for said in found if said not in (b"", b"[DONE]")]
    return _lines(one for event in told for one in _said(event, heard))


def is_whole(answer: Mapping[str, Any]) -> bool:
    """Whether it is a whole answer of Cohere's."""
    return isinstance(answer.get("message"), dict) and "finish_reason" in answer


def finish_reason_of(answer: Mapping[str, Any]) -> str | None:
    """Why a whole answer, or the last event of a stream, says that it ended; None for nothing."""
    reason = short_word(answer.get("finish_reason"))
    return None if reason is None else _REASONS.get(reason, reason)


def whole_lines(answer: Mapping[str, Any], heard: Heard | None) -> bytes:
    """A whole answer where a stream was asked for."""
    message = answer["message"]
    content, calls = message.get("content"), message.get("tool_calls")
    told = [("content-delta", {"content": one}) for one in _listed(content or [])]
    told += [("tool-call-delta", {"tool_calls": one}) for one in _listed(calls or [])[:1]]
    events: list[dict[str, Any]] = [{"type": kind, "delta": {"message": one}} for kind, one in told]
    events.append({"type": _END, "delta": answer})
    return _lines(one for event in events for one in _said(event, heard or Heard()))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _lines(said: Iterable[str | dict[str, Any]]) -> bytes:
    """A line for each, texts that follow each other in one."""
    put: list[dict[str, Any]] = []
    texts: list[str] = []
    for one in said:
        if isinstance(one, str):
            texts.append(one)
            continue
        put += _spoken(texts)
        put.append(one)
        texts.clear()
    put += _spoken(texts)
    return b"".join(json.dumps(one).encode() + b"\n" for one in put)


def _spoken(texts: list[str]) -> list[dict[str, Any]]:
    if not texts:
        return []
    content = {"text": "".join(texts)}
    return [{"type": "content-delta", "delta": {"message": {"content": content}}}]


def _said(event: Any, heard: Heard) -> Iterator[str | dict[str, Any]]:
    """What an event brings: a text, or what stands in a line of its own."""
    if not isinstance(event, dict):
        heard.fault = heard.fault or {"message": "an event of the stream is no JSON object"}
        return
    kind, delta = event.get("type"), _fields(event.get("delta"))
    message = _fields(delta.get("message"))
    if kind in _NAMES:
        heard.choices = True
    else:
        heard.fault = heard.fault or error_in(event)
    if kind in _TEXTS and (text := _text(message.get("content"))):
        yield text
    elif kind in _CALLS and not event.get("index"):
        [called, *_] = map(_fields, _listed(message.get("tool_calls")) or [None])
        function = _fields(called.get("function"))
        named = {"id": short_word(called.get("id")) or "", "name": short_word(function.get("name"))}
        call = {**named, "arguments": _text(function.get("arguments"))}
        yield {"type": "tool-call-delta", "delta": {"tool_calls": [call]}}
    elif kind == _END:
        yield {"event": _END, "data": {"delta": _ended(delta, heard)}}


def _ended(delta: Mapping[str, Any], heard: Heard) -> dict[str, Any]:
    """Why an answer ended, and what it took."""
    heard.done = True
    heard.error = heard.error or delta.get("error")
    put: dict[str, Any] = {}
    if reason := short_word(delta.get("finish_reason")):
        heard.reasons.append(reason)
        put["finish_reason"] = finish_reason_of(delta)
    told = counts_of(_fields(_fields(delta.get("usage")).get("tokens")), _COUNTS)
    if told:
        heard.no_tokens = told.get("output_tokens") == 0
        put["usage"] = {"tokens": told}
    return put


def _read(said: bytes) -> Any:
    """What the data of an event says; None where that is no JSON."""
    try:
        return json.loads(said)
    except (ValueError, RecursionError):
        return None


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str:
    text = content.get("text") if isinstance(content, dict) else content
    return text if isinstance(text, str) else ""
