"""Reads an answer that is what most answers are: one text that ended as it should, and its usage.

Whatever else an answer may hold, and whatever a library might read otherwise, is not plain: it is
read by the library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from arena.core import Completion, Usage
from arena.llm.failures.inside import Heard
from arena.llm.providers import token_logs
from arena.llm.providers.protocol import Answer
from arena.llm.providers.response import LONGEST_NAME, answered_by
from arena.llm.providers.usage import countable, read_usage

ENDS = ("stop", "length")
_MAYBE_TEXT = (str, type(None))
_LISTED = (list, type(None))
_FIELDS = (dict, type(None))
_ANSWER: Mapping[str, tuple[type, ...]] = {
    "id": (str,),
    "object": (str,),
    "created": (int,),
    "model": (str,),
    "system_fingerprint": _MAYBE_TEXT,
    "service_tier": _MAYBE_TEXT,
    "provider": (str,),
    "choices": (list,),
    "usage": (dict,),
    # What nobody reads: filters of Azure, times of Groq, Cerebras and llama.cpp, sources of
    # Perplexity, the prompt of Together, weights of SGLang.
    "prompt_filter_results": _LISTED,
    "x_groq": _FIELDS,
    "usage_breakdown": _FIELDS,
    "time_info": _FIELDS,
    "timings": _FIELDS,
    "citations": _LISTED,
    "search_results": _LISTED,
    "prompt": _LISTED,
    "metadata": _FIELDS,
}
_CHOICE: Mapping[str, tuple[type, ...]] = {
    "index": (int,),
    "message": (dict,),
    "finish_reason": (str,),
    "logprobs": (dict, type(None)),
    "token_ids": (list, type(None)),
    # Of an answer that says something nobody reads these.
    "native_finish_reason": _MAYBE_TEXT,
    "content_filter_results": _FIELDS,
    "matched_stop": (int, str, type(None)),
    "seed": (int, type(None)),
}
_MESSAGE: Mapping[str, tuple[type, ...]] = {"role": (str,), "content": (str,)}
# How the tags begin that a library takes for thoughts; a text with one is not plain.
_TAGS = ("<think", "</think", "<budget:thinking", "</budget:thinking")
MOST_TOKENS = 10**9
_NOTHING: Mapping[str, Any] = {}
_COUNTED = {
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
}
_COUNTS = 3  # of a usage without details
_TIMES = ("queue_time", "prompt_time", "completion_time", "total_time")
_NUMBER = (int, float)
# What `stated_cost` reads, in whatever form it is, and what it does not.
_SPENT = ("cost", "cost_details", "is_byok", "search_context_size")


def plain_answer(body: bytes) -> dict[str, Any] | None:
    """A body as an answer, if it is plain."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not has_only(answer, _ANSWER) or "model" not in answer:
        return None
    choices = answer.get("choices")
    if not choices or len(choices) != 1 or not has_only(choices[0], _CHOICE):
        return None
    message = choices[0].get("message")
    if choices[0].get("finish_reason") not in ENDS or not has_only(message, _MESSAGE):
        return None
    if message.get("role") != "assistant" or not is_plain_text(message.get("content")):
        return None
    return answer if is_plain_usage(answer.get("usage")) else None


def is_plain_text(content: Any) -> bool:
    """Whether a text is said as it stands."""
    if not isinstance(content, str) or not content.strip():
        return False
    return not ("<" in content and any(tag in content for tag in _TAGS))


def is_plain_usage(usage: Any) -> bool:
    """Whether a usage has the counts that it must have, and no more than counts."""
    if type(usage) is not dict:
        return False
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    total = usage.get("total_tokens")
    if type(prompt) is not int or type(completion) is not int or type(total) is not int:
        return False
    if prompt <= 0 or completion <= 0 or prompt + completion != total or total > MOST_TOKENS:
        return False
    return len(usage) == _COUNTS or all(_is_count(name, value) for name, value in usage.items())


def _is_count(name: str, value: Any) -> bool:
    if type(value) is dict and name not in _SPENT:
        return name.endswith("_details") and all(
            one is None or (type(one) is int and 0 <= one < MOST_TOKENS) for one in value.values()
        )
    if name == "reasoning_tokens":
        # SGLang's; a library leaves out a zero that stands here.
        return not value
    if name.endswith("_tokens"):
        return value is None or (type(value) is int and 0 <= value < MOST_TOKENS)
    if name in _SPENT:
        return True
    return not value or (name in _TIMES and type(value) in _NUMBER)


def read_plain(answer: dict[str, Any], headers: Mapping[str, str], prefix: str) -> Answer:
    """A plain answer as `arena.llm.providers.response.read` would have it recorded; `prefix` is
    what a library puts in front of the name under which a model answers."""
    choice = answer["choices"][0]
    text, finish_reason = choice["message"]["content"], choice["finish_reason"]
    usage, counts = usage_of(answer["usage"])
    stored = stored_answer(answer, text, finish_reason, counts, headers, prefix)
    if choice.get("logprobs") or choice.get("token_ids"):
        heard = Heard()
        token_logs.listen(choice, heard)
        stored |= token_logs.recorded_tokens(heard)
    return Answer(Completion(text, finish_reason, usage), stored["model"], stored)


def stored_answer(
    answer: Mapping[str, Any],
    text: str,
    finish_reason: str,
    counts: Mapping[str, float],
    headers: Mapping[str, str],
    prefix: str,
) -> dict[str, Any]:
    """What is stored of an answer with this head."""
    created, model = answer.get("created"), answer.get("model")
    stored: dict[str, Any] = {
        "id": _short(answer.get("id")),
        "model": None if model is None else (prefix + model)[:LONGEST_NAME],
        "created": created if created is not None and abs(created) < 2**53 else None,
        "choices": [{"text": text, "finish_reason": finish_reason}],
        "usage": counts,
    }
    if fingerprint := answer.get("system_fingerprint"):
        stored["system_fingerprint"] = fingerprint[:LONGEST_NAME]
    stored.update(answered_by(answer, headers))
    return stored


def _short(value: str | None) -> str | None:
    return None if value is None else value[:LONGEST_NAME]


def usage_of(usage: Mapping[str, Any]) -> tuple[Usage, Mapping[str, float]]:
    """Tokens of a plain usage, and the same as they are stored."""
    if len(usage) == _COUNTS:
        prompt, completion = usage["prompt_tokens"], usage["completion_tokens"]
        counts = {"prompt_tokens": prompt, "completion_tokens": completion}
        return Usage(prompt, completion), counts
    of_prompt = usage.get("prompt_tokens_details") or _NOTHING
    of_answer = usage.get("completion_tokens_details") or _NOTHING
    if not usage.keys() <= _COUNTED or _more(of_prompt, "cached_tokens"):
        counted = countable(usage) or {}
        counted.pop("reasoning_tokens", None)
        return read_usage(counted, said=True)
    prompt, completion = usage["prompt_tokens"], usage["completion_tokens"]
    cached, reasoning = of_prompt.get("cached_tokens"), of_answer.get("reasoning_tokens")
    if (cached or 0) > prompt or (reasoning or 0) > completion:
        return read_usage(usage, said=True)
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    if cached is not None:
        counts["cached_tokens"] = cached
    if reasoning is not None:
        counts["reasoning_tokens"] = reasoning
    return Usage(prompt, completion, cached, reasoning), counts


def _more(holder: Mapping[str, Any], name: str) -> bool:
    """Whether it counts something else."""
    return any(value for other, value in holder.items() if other != name)


def has_only(holder: Any, fields: Mapping[str, tuple[type, ...]]) -> bool:
    """Whether it is an object whose fields are of these types, and all others empty."""
    if type(holder) is not dict:
        return False
    for name, value in holder.items():
        kinds = fields.get(name)
        if kinds is None:
            if value:
                return False
        elif type(value) not in kinds:
            return False
    return True
