"""Reads an answer that is what most answers are: one text that ended as it should, and its usage.

Whatever else an answer may hold, and whatever a library might read otherwise, is not plain: it is
read by the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from arena.llm.failures.inside import Heard
from arena.llm.providers import token_logs
from arena.llm.providers.protocol import Answer
from arena.llm.providers.response import read

_ENDS = ("stop", "length")
_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "id": str,
    "object": str,
    "created": int,
    "model": str,
    "system_fingerprint": (str, type(None)),
    "service_tier": (str, type(None)),
    "provider": str,
}
# How the tags begin that a library takes for thoughts; a text with one is not plain.
_TAGS = ("<think", "</think", "<budget:thinking", "</budget:thinking")
_MOST_TOKENS = 10**9
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_CHOICE = ("index", "message", "finish_reason", "logprobs", "token_ids")


def plain_answer(body: bytes) -> dict[str, Any] | None:
    """A body as an answer, if it is plain."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(answer, dict):
        return None
    choices = answer.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or "error" in answer:
        return None
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") not in _ENDS:
        return None
    message = choice.get("message")
    if not isinstance(message, dict) or not is_plain_text(message.get("content")):
        return None
    if not _only(message, ("role", "content")) or message.get("role") != "assistant":
        return None
    if not _only(choice, _CHOICE):
        return None
    if not all(isinstance(answer[name], kind) for name, kind in _FIELDS.items() if name in answer):
        return None
    if not isinstance(answer.get("model"), str) or not is_plain_usage(answer.get("usage")):
        return None
    return answer if _only(answer, (*_FIELDS, "choices", "usage")) else None


def is_plain_text(content: Any) -> bool:
    """Whether a text is said as it stands."""
    if not isinstance(content, str) or not content.strip():
        return False
    return not ("<" in content and any(tag in content for tag in _TAGS))


def is_plain_usage(usage: Any) -> bool:
    """Whether a usage has the counts that it must have, and no more than counts."""
    if not isinstance(usage, dict):
        return False
    if not all(type(usage.get(name)) is int and usage[name] > 0 for name in _COUNTS):
        return False
    if usage["prompt_tokens"] + usage["completion_tokens"] != usage["total_tokens"]:
        return False
    for name, value in usage.items():
        counts = value.values() if isinstance(value, dict) else (value,)
        if name.endswith("_details") and value is None:
            continue
        if not name.endswith(("_tokens", "_details")):
            if value:
                return False
            continue
        if not all(one is None or (type(one) is int and 0 <= one < _MOST_TOKENS) for one in counts):
            return False
    return True


@dataclass(frozen=True, slots=True)
class ModelName:
    """Under which name a model is recorded to have answered: a library may put its provider in
    front of what was said."""

    prefix: str = ""


def read_plain(answer: dict[str, Any], headers: Mapping[str, str], name: ModelName) -> Answer:
    """A plain answer as it is recorded."""
    heard = Heard()
    token_logs.listen(answer["choices"][0], heard)
    hidden = {"additional_headers": headers}
    said = read({**answer, "model": name.prefix + answer["model"], "_hidden_params": hidden})
    stored = {**(said.response or {}), **token_logs.recorded_tokens(heard)}
    return replace(said, response=stored)


def _only(holder: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    """Whether everything else that it holds is empty."""
    return not any(value for name, value in holder.items() if name not in names)
