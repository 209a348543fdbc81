"""The dialect of Cohere's chat, second version; not of its streams, which LiteLLM cannot read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from arena.llm.providers.lean.counted import answer_of, is_count
from arena.llm.providers.lean.dialect import Dialect
from arena.llm.providers.lean.plain import has_only, is_plain_text
from arena.llm.providers.protocol import Answer
from arena.llm.providers.usage import read_usage

# LiteLLM says of every answer that it came to its end; of others than these that would be wrong.
_ENDS = ("COMPLETE", "STOP_SEQUENCE")
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
        "finish_reason": "STOP_SEQUENCE",
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
    message, usage = answer.get("message"), answer.get("usage")
    if not has_only(message, _MESSAGE) or not has_only(usage, _USAGE):
        return None
    parts = message.get("content") or []
    if not all(has_only(part, _PART) and part.get("type") == "text" for part in parts):
        return None
    text = "".join(part.get("text", "") for part in parts)
    counts = usage.get("tokens") or {}
    prompt, completion = counts.get("input_tokens"), counts.get("output_tokens")
    if not is_plain_text(text) or not (is_count(prompt) and is_count(completion)) or not prompt:
        return None
    told = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    head = {"id": answer.get("id"), "model": ""}
    # LiteLLM keeps no header.
    return answer_of(head, (text, ""), "stop", read_usage(told, said=True), {}, prefix)


COHERE = Dialect("Cohere's chat", answers, read, names=False)
