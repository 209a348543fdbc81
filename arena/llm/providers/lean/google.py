"""The dialect of Google's generateContent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from arena.llm.providers.lean.counted import answer_of, count_on, is_count
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.plain import has_only, is_plain_text
from arena.llm.providers.lean.stream import PlainStream
from arena.llm.providers.protocol import Answer
from arena.llm.providers.usage import read_usage, reported

_ENDS = {"STOP": "stop", "MAX_TOKENS": "length"}
_TIER = "x-gemini-service-tier"
_ANSWER: Mapping[str, tuple[type, ...]] = {
    "candidates": (list,),
    "usageMetadata": (dict,),
    "modelVersion": (str,),
    "responseId": (str,),
}
_CANDIDATE: Mapping[str, tuple[type, ...]] = {
    "content": (dict,),
    "finishReason": (str, type(None)),
    "index": (int,),
    "avgLogprobs": (float,),
}
_CONTENT: Mapping[str, tuple[type, ...]] = {"parts": (list,), "role": (str,)}
_PART: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "thought": (bool,),
    "thoughtSignature": (str,),
}
_DETAILS = ("promptTokensDetails", "candidatesTokensDetails", "cacheTokensDetails")
_DETAIL: Mapping[str, tuple[type, ...]] = {"modality": (str,), "tokenCount": (int,)}
_COUNTS = (
    "promptTokenCount",
    "candidatesTokenCount",
    "totalTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
)


def answers(model: str) -> list[dict[str, Any]]:
    """Plain answers, each with other fields than the one before."""
    plain: dict[str, Any] = {
        "candidates": [_candidate([{"text": "[3] It is I."}], "STOP")],
        "usageMetadata": {
            "promptTokenCount": 11,
            "candidatesTokenCount": 7,
            "totalTokenCount": 18,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
        },
        "modelVersion": model,
        "responseId": "probe-1",
    }
    parts: list[dict[str, Any]] = [
        {"text": "Hm.\n\U0001f43a", "thought": True},
        {"text": " é\n<b>", "thoughtSignature": "c2ln"},
        {"text": "\U0001f43a</b>\n"},
    ]
    more = {
        **plain,
        "candidates": [_candidate(parts, "MAX_TOKENS")],
        "usageMetadata": {
            "promptTokenCount": 1_200,
            "cachedContentTokenCount": 1_024,
            "candidatesTokenCount": 26,
            "thoughtsTokenCount": 64,
            "totalTokenCount": 1_290,
        },
    }
    return [plain, more]


def _candidate(parts: list[dict[str, Any]], reason: str) -> dict[str, Any]:
    return {"content": {"parts": parts, "role": "model"}, "finishReason": reason, "index": 0}


def events(answer: Mapping[str, Any]) -> bytes:
    """A plain answer as a stream of events: a part in each, the last of which says all else."""
    *before, last = answer["candidates"][0]["content"]["parts"]
    text = last["text"]
    said = []
    for part in (*before, {**last, "text": text[:3]}):
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
        said.append({**answer, "candidates": [candidate]})
    ended = _candidate([{**last, "text": text[3:]}], answer["candidates"][0]["finishReason"])
    said.append({**answer, "candidates": [ended]})
    return b"".join(b"data: %s\r\n\r\n" % json.dumps(one).encode() for one in said)


def read(body: bytes, headers: Mapping[str, str], prefix: str) -> Answer | None:
    """A body as an answer, if it is plain."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    pieces = GooglePieces()
    return pieces.answer(headers, prefix, None) if pieces.take(answer) else None


@dataclass(slots=True)
class GooglePieces:
    """The chunks of one answer, each of which is like a whole one."""

    begun: bool = False
    passed: tuple[bytes, ...] = (b":",)
    _head: dict[str, Any] = field(default_factory=dict)
    _said: list[str] = field(default_factory=list)
    _thought: list[str] = field(default_factory=list)
    _usages: list[Mapping[str, Any]] = field(default_factory=list)
    _pieces: int = 0
    _ended: str | None = None

    def take(self, said: Any) -> bool:
        """Take a chunk; whether it is plain."""
        if not has_only(said, _ANSWER) or "modelVersion" not in said or self._ended is not None:
            return False
        # What stands behind this sign LiteLLM leaves out of the name.
        if "@" in said["modelVersion"]:
            return False
        candidates = said.get("candidates")
        if not candidates or len(candidates) != 1 or not has_only(candidates[0], _CANDIDATE):
            return False
        [candidate] = candidates
        if candidate.get("index") or not self._parts(candidate.get("content")):
            return False
        if (usage := said.get("usageMetadata")) is not None:
            if not _is_plain_usage(usage):
                return False
            self._usages.append(usage)
        self._head = {"id": said.get("responseId"), "model": said["modelVersion"]}
        self._ended = candidate.get("finishReason")
        return self._ended is None or self._ended in _ENDS

    def _parts(self, content: Any) -> bool:
        if not has_only(content, _CONTENT) or "parts" not in content:
            return False
        before = len(self._said) + len(self._thought)
        for part in content["parts"]:
            if not has_only(part, _PART) or not (text := part.get("text")):
                return False
            if text.startswith("data:"):
                return False
            (self._thought if part.get("thought") else self._said).append(text)
        self._pieces += len(self._said) + len(self._thought) > before
        self.begun |= self._pieces > 0
        return True

    def text_in(self, said: Any) -> str | None:
        """Nothing: each event is read."""
        return None

    def say(self, text: str) -> bool:
        """Nothing is."""
        return False

    def answer(self, headers: Mapping[str, str], prefix: str, first: float | None) -> Answer | None:
        """The answer, if it is plain and whole."""
        text, thoughts = "".join(self._said), "".join(self._thought)
        if self._ended is None or not self._usages or not is_plain_text(text):
            return None
        told = list(map(_told, self._usages))
        if not count_on([one["completion_tokens"] for one in told], self._pieces):
            return None
        whole = told[0] if len(told) == 1 else reported([{"usage": one} for one in told])
        usage = read_usage(whole, said=True)
        head = self._head
        if tier := headers.get(_TIER, "").lower():
            head = {**head, "service_tier": "default" if tier == "standard" else tier}
        ended = _ENDS[self._ended]
        # LiteLLM keeps no other header.
        return answer_of(head, (text, thoughts), ended, usage, {}, prefix, first)


def _is_plain_usage(usage: Any) -> bool:
    """Whether a usage has nothing but counts of tokens of texts, and those that it must have."""
    if type(usage) is not dict:
        return False
    for name, value in usage.items():
        if name in _DETAILS:
            if type(value) is not list or not all(map(_is_text_count, value)):
                return False
        elif not is_count(value) if name in _COUNTS else value:
            return False
    return bool(usage.get("promptTokenCount"))


def _is_text_count(detail: Any) -> bool:
    return has_only(detail, _DETAIL) and detail.get("modality") == "TEXT"


def _told(usage: Mapping[str, Any]) -> dict[str, Any]:
    """A usage in the words of chat completions. What was thought is counted beside the answer,
    unless the total leaves no room for it."""
    prompt, total = usage["promptTokenCount"], usage.get("totalTokenCount", 0)
    completion = usage.get("candidatesTokenCount", 0)
    thoughts = usage.get("thoughtsTokenCount")
    if thoughts and prompt + completion != total:
        completion += thoughts
    told: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": usage.get("cachedContentTokenCount")},
        "completion_tokens_details": {"reasoning_tokens": thoughts},
    }
    return told


def stream(now: Callable[[], float]) -> PlainStream:
    """A stream of events, as it comes."""
    return PlainStream(now, GooglePieces())


GOOGLE = Dialect("Google's generateContent", answers, read, events, stream)
