"""The dialect of Amazon Bedrock's Converse, for whatever model answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from arena.llm.providers.lean.counted import answer_of, is_count
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.frames import KIND, FrameStream
from arena.llm.providers.lean.frames import frame_of as frame
from arena.llm.providers.lean.plain import has_only, is_plain_text
from arena.llm.providers.protocol import Answer
from arena.llm.providers.usage import read_usage

_ENDS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length"}
_OBJECT = (dict, type(None))
_ANSWER: Mapping[str, tuple[type, ...]] = {
    "output": (dict,),
    "stopReason": (str,),
    "usage": (dict,),
    "metrics": _OBJECT,
    "serviceTier": (dict,),
    "performanceConfig": _OBJECT,
    "additionalModelResponseFields": _OBJECT,
}
_MESSAGE: Mapping[str, tuple[type, ...]] = {"role": (str,), "content": (list,)}
_REASONED: Mapping[str, tuple[type, ...]] = {"text": (str,), "signature": (str,)}
_USAGE = {
    "inputTokens",
    "outputTokens",
    "totalTokens",
    "cacheReadInputTokens",
    "cacheWriteInputTokens",
    "cacheReadInputTokenCount",
    "cacheWriteInputTokenCount",
}


def answers(_: str) -> list[dict[str, Any]]:
    """Plain answers, each with other fields than the one before."""
    plain: dict[str, Any] = {
        "output": _output([{"text": "[3] It is I."}]),
        "stopReason": "end_turn",
        "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18},
        "metrics": {"latencyMs": 5},
    }
    more = {
        **plain,
        "output": _output([{"text": " é\n<b>"}, {"text": "\U0001f43a</b>\n"}]),
        "stopReason": "max_tokens",
        "usage": {
            "inputTokens": 20,
            "cacheReadInputTokens": 1_024,
            "cacheWriteInputTokens": 128,
            "outputTokens": 90,
            "totalTokens": 1_262,
        },
    }
    return [plain, more]


def _output(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": content}}


def events(answer: Mapping[str, Any]) -> bytes:
    """A plain answer as a stream of frames: its blocks in pieces, why it ended, what it took."""
    said: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant", "p": "ab"})]
    for index, block in enumerate(answer["output"]["message"]["content"]):
        at = {"contentBlockIndex": index, "p": "abc"}
        for piece in (block["text"][:3], block["text"][3:]):
            said.append(("contentBlockDelta", {**at, "delta": {"text": piece}}))
        said.append(("contentBlockStop", at))
    said.append(("messageStop", {"stopReason": answer["stopReason"], "p": "a"}))
    metrics = {"usage": answer["usage"], "metrics": answer["metrics"], "p": "abcd"}
    said.append(("metadata", metrics))
    return b"".join(frame(kind, data) for kind, data in said)


def read(body: bytes, headers: Mapping[str, str], prefix: str) -> Answer | None:
    """A body as an answer, if it is plain."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not has_only(answer, _ANSWER) or not has_only(answer.get("output"), {"message": (dict,)}):
        return None
    message = answer["output"].get("message")
    if not has_only(message, _MESSAGE) or message.get("role") != "assistant":
        return None
    said, thought = [], []
    for block in message.get("content") or ():
        if type(block) is not dict or len(block) != 1:
            return None
        reasoned = block.get("reasoningContent")
        if type(block.get("text")) is str:
            said.append(block["text"])
        elif type(reasoned) is dict and reasoned.keys() == {"reasoningText"}:
            if not has_only(reasoned["reasoningText"], _REASONED):
                return None
            thought.append(reasoned["reasoningText"].get("text", ""))
        else:
            return None
    return _answer(answer, said, thought, headers, prefix)


def _answer(
    answer: Mapping[str, Any],
    said: Sequence[str],
    thought: Sequence[str],
    headers: Mapping[str, str],
    prefix: str,
    first_token_ms: float | None = None,
) -> Answer | None:
    text, thoughts = "".join(said), "".join(thought)
    ended, usage = answer.get("stopReason"), answer.get("usage") or {}
    if ended not in _ENDS or not is_plain_text(text) or not _is_plain_usage(usage):
        return None
    details = _thinking(answer.get("additionalModelResponseFields"))
    if details is None or (thought and not details):
        # LiteLLM counts the tokens of thoughts that nobody else has counted.
        return None
    told = read_usage(_told(usage, details.get("thinking_tokens", 0)), said=True)
    head: dict[str, Any] = {"model": ""}
    if (tier := answer.get("serviceTier")) is not None:
        if type(tier.get("type")) is not str:
            return None
        head["service_tier"] = tier["type"]
    return answer_of(head, (text, thoughts), _ENDS[ended], told, headers, prefix, first_token_ms)


def _is_plain_usage(usage: Any) -> bool:
    """Whether a usage has nothing but counts of tokens, and those that it must have."""
    if type(usage) is not dict or not usage.get("inputTokens") or "outputTokens" not in usage:
        return False
    return all(is_count(value) if name in _USAGE else not value for name, value in usage.items())


def _thinking(more: Any) -> Mapping[str, Any] | None:
    """What a model says beside its answer of the tokens of its thoughts; None for anything else."""
    if not more:
        return {}
    if not has_only(more, {"usage": (dict,)}) or more["usage"].keys() != {"output_tokens_details"}:
        return None
    details = more["usage"]["output_tokens_details"]
    if not has_only(details, {"thinking_tokens": (int,)}) or not details.get("thinking_tokens"):
        return None
    return details if is_count(details["thinking_tokens"]) else None


def _told(usage: Mapping[str, Any], reasoning: int) -> dict[str, Any]:
    """A usage in the words of chat completions."""
    cached = usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount", 0))
    written = usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount", 0))
    prompt, completion = usage["inputTokens"] + cached + written, usage["outputTokens"]
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": usage.get("totalTokens", prompt + completion),
        "prompt_tokens_details": {"cached_tokens": cached, "cache_creation_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": min(reasoning, completion)},
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
    }


@dataclass(slots=True)
class ConversePieces:
    """The events of one answer."""

    begun: bool = False
    _said: list[str] = field(default_factory=list)
    _answer: dict[str, Any] = field(default_factory=dict)

    def take(self, said: Any) -> bool:
        """Take an event, by its kind; whether it is plain."""
        [(kind, data)] = said.items()
        if type(data) is not dict:
            return False
        data.pop("p", None)  # noise that hides the length of a piece
        if "usage" in self._answer:
            return False
        if kind == "contentBlockDelta" and "stopReason" not in self._answer:
            delta: Any = data.get("delta")
            if not has_only(delta, {"text": (str,)}) or data.keys() != {
                "contentBlockIndex",
                "delta",
            }:
                return False
            self._said.append(delta.get("text", ""))
            self.begun |= bool(self._said[-1])
            return True
        if kind == "messageStart":
            return data == {"role": "assistant"}
        if kind == "contentBlockStop":
            return data.keys() == {"contentBlockIndex"}
        if kind == "messageStop":
            self._answer |= data
            known = data.keys() <= {"stopReason", "additionalModelResponseFields"}
            return known and type(data.get("stopReason")) is str
        self._answer |= data
        return kind == "metadata" and data.keys() <= {
            "usage",
            "metrics",
            "serviceTier",
            "performanceConfig",
        }

    def answer(self, headers: Mapping[str, str], prefix: str, first: float | None) -> Answer | None:
        """The answer, if it is plain and whole."""
        # Of a stream LiteLLM tells no tier.
        told = {name: value for name, value in self._answer.items() if name != "serviceTier"}
        return _answer(told, self._said, [], headers, prefix, first)


def stream(now: Callable[[], float]) -> FrameStream:
    """A stream of frames, as it comes."""
    return FrameStream(now, ConversePieces())


CONVERSE = Dialect("Amazon's Converse", answers, read, events, stream, streamed=KIND, names=False)
