"""The dialect of Cohere's chat, second version."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from arena.llm.providers.lean.counted import answer_of, is_count
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.plain import has_only, is_plain_text
from arena.llm.providers.lean.stream import PlainStream
from arena.llm.providers.protocol import Answer
from arena.llm.providers.usage import read_usage

_ENDS = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length"}
_ANSWER: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "finish_reason": (str,),
    "message": (dict,),
    "usage": (dict,),
}
_MESSAGE: Mapping[str, tuple[type, ...]] = {"role": (str,), "content": (list,)}
_PART: Mapping[str, tuple[type, ...]] = {"type": (str,), "text": (str,)}
_USAGE: Mapping[str, tuple[type, ...]] = {
    "billed_units": (dict,),
    "tokens": (dict,),
    "cached_tokens": (int, float),
}


def answers(_: str) -> list[dict[str, Any]]:
    """Plain answers, each with other fields than the one before."""
    plain: dict[str, Any] = {
        "id": "probe-1",
        "message": {"role": "assistant", "content": [_part("[3] It is I.")]},
        "finish_reason": "COMPLETE",
        "usage": {"tokens": {"input_tokens": 11, "output_tokens": 7}},
    }
    more = {
        **plain,
        "message": {"role": "assistant", "content": [_part(" é\n<b>"), _part("\U0001f43a</b>\n")]},
        "finish_reason": "MAX_TOKENS",
        "usage": {
            "billed_units": {"input_tokens": 1_000, "output_tokens": 90},
            "tokens": {"input_tokens": 1_200, "output_tokens": 90},
            "cached_tokens": 64,
        },
    }
    return [plain, more]


def _part(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def read(body: bytes, _: Mapping[str, str], prefix: str) -> Answer | None:
    """A body as an answer, if it is plain."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not has_only(answer, _ANSWER) or answer.get("finish_reason") not in _ENDS:
        return None
    message = answer.get("message")
    if not has_only(message, _MESSAGE):
        return None
    parts = message.get("content") or []
    if not all(has_only(part, _PART) and part.get("type") == "text" for part in parts):
        return None
    text = "".join(part.get("text", "") for part in parts)
    return _answer(
        answer.get("id"), text, _ENDS[answer["finish_reason"]], answer.get("usage"), prefix
    )


def _answer(
    number: str | None,
    text: str,
    ended: str,
    usage: Any,
    prefix: str,
    first: float | None = None,
) -> Answer | None:
    """A plain text that took this much; None where it is none, or that is not said."""
    if not has_only(usage, _USAGE):
        return None
    counts = usage.get("tokens") or {}
    prompt, completion = counts.get("input_tokens"), counts.get("output_tokens")
    if not is_plain_text(text) or not (is_count(prompt) and is_count(completion)) or not prompt:
        return None
    told = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    head = {"id": number, "model": ""}
    # LiteLLM keeps no header.
    return answer_of(head, (text, ""), ended, read_usage(told, said=True), {}, prefix, first)


def events(answer: Mapping[str, Any]) -> bytes:
    """A plain answer as a stream of events: its parts in pieces, why it ended, what it took."""
    message = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []}
    said: list[dict[str, Any]] = [
        {"id": answer["id"], "type": "message-start", "delta": {"message": message}}
    ]
    for index, part in enumerate(answer["message"]["content"]):
        pieces = (("start", {**part, "text": ""}), *(("delta", one) for one in _pieces(part)))
        said += [
            {
                "type": f"content-{kind}",
                "index": index,
                "delta": {"message": {"content": piece}},
            }
            for kind, piece in pieces
        ]
        said.append({"type": "content-end", "index": index})
    delta = {name: answer[name] for name in ("finish_reason", "usage")}
    said.append({"type": "message-end", "delta": delta})
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one).encode())
        for one in said
    )


def _pieces(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"text": piece} for piece in (part["text"][:3], part["text"][3:])]


_EVENT: Mapping[str, tuple[type, ...]] = {
    "type": (str,),
    "id": (str,),
    "index": (int,),
    "delta": (dict,),
}


@dataclass(slots=True)
class CoherePieces:
    """The events of one answer."""

    begun: bool = False
    passed: tuple[bytes, ...] = (b":", b"event:")
    _texts: list[str] = field(default_factory=list)
    _number: str | None = None
    _end: dict[str, Any] | None = None

    def take(self, said: Any) -> bool:
        """Take an event; whether it is plain."""
        if self._end is not None or not has_only(said, _EVENT):
            return False
        kind, delta = said.get("type"), said.get("delta")
        if kind in ("content-start", "content-delta"):
            text = self.text_in(said)
            if text is None:
                return False
            self._texts.append(text)
            self.begun |= bool(text)
            return True
        if kind == "message-start":
            self._number = said.get("id")
            message = delta.get("message") if has_only(delta, {"message": (dict,)}) else None
            return has_only(message, {"role": (str,)})
        if kind == "message-end":
            self._end = delta
            return (
                has_only(delta, {"finish_reason": (str,), "usage": (dict,)})
                and delta.get("finish_reason") in _ENDS
            )
        return kind == "content-end" and not delta

    def text_in(self, said: Any) -> str | None:
        """The text of a plain event that brings nothing else."""
        content: Any = said.get("delta")
        for name in ("message", "content"):
            if not has_only(content, {name: (dict,)}):
                return None
            content = content.get(name)
        if not has_only(content, _PART) or content.get("type", "text") != "text":
            return None
        text: str | None = content.get("text")
        return text

    def say(self, text: str) -> bool:
        """Take an event like the one before, with this text."""
        if self._end is not None:
            return False
        self._texts.append(text)
        return True

    def answer(self, headers: Mapping[str, str], prefix: str, first: float | None) -> Answer | None:
        """The answer, if it is plain and whole."""
        if self._end is None:
            return None
        ended, usage = _ENDS[self._end["finish_reason"]], self._end.get("usage")
        return _answer(self._number, "".join(self._texts), ended, usage, prefix, first)


def stream(now: Callable[[], float]) -> PlainStream:
    """A stream of events, as it comes."""
    return PlainStream(now, CoherePieces())


COHERE = Dialect("Cohere's chat", answers, read, events, stream, names=False)
