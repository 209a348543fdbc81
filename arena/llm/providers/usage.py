"""What a call took, in tokens and dollars, as providers say it in all their forms.

A number that cannot be true is unknown, and what is unknown is never free.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from arena.core import Usage

# A count above it is no count: the longest contexts are of 10^7 tokens.
_MOST_TOKENS = 10**9

# Fields of a usage that hold dollars; a number above it is none (ticks are 10^10 a dollar).
_COSTS = ("cost", "cost_details")
_MOST_DOLLARS = 1e15

_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")

# What a stream may say of each chunk alone.
_OF_ANSWER = ("completion_tokens", "reasoning_tokens", "cost")


def usage_in(answer: Mapping[str, Any]) -> Any:
    """Where an answer says what it took: beside its choices, in one of them (Moonshot), or among
    what a provider has of its own (Groq)."""
    return next(filter(None, _places(answer)), answer.get("usage"))


def _places(answer: Mapping[str, Any]) -> Iterator[Any]:
    yield answer.get("usage")
    for choice in answer["choices"]:
        yield get(choice, "usage")
    yield get(answer.get("x_groq"), "usage")


def countable(usage: Any) -> dict[str, Any] | None:
    """What of a usage can be counted with; None where one of its two counts is none. A count that
    is not there is 0, as LiteLLM has it: unknown."""
    if not isinstance(usage, dict):
        return None
    counted = {name: _whole(usage.get(name) or 0) for name in _COUNTS}
    prompt, completion = counted["prompt_tokens"], counted["completion_tokens"]
    if prompt is None or completion is None:
        return None
    counts: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": counted["total_tokens"] or prompt + completion,
    }
    for name, details in usage.items():
        if name.endswith("_tokens") and name not in counts and _whole(details) is not None:
            counts[name] = details
        if isinstance(details, dict) and name not in _COSTS:
            counts[name] = {
                inner: value for inner, value in details.items() if _whole(value) is not None
            }
    if (cost := stated_cost(usage)) is not None:
        counts["cost"] = cost
    return counts


def stated_cost(usage: dict[str, Any]) -> float | None:
    """The dollars that a provider says it charges, in any of their spellings: a number (OpenRouter,
    and beside it what the user's own key is charged; DeepInfra), parts with their sum (Perplexity),
    ticks of which a dollar has 10^10 (xAI). None where it says nothing."""
    cost, details = usage.get("cost"), usage.get("cost_details")
    upstream = None if not isinstance(details, dict) else details.get("upstream_inference_cost")
    said = _dollars(cost.get("total_cost") if isinstance(cost, dict) else cost)
    if usage.get("is_byok") is True or said is None:
        beside = _dollars(upstream)
        said = beside if said is None else said + (beside or 0.0)
    if said is None:
        said = _dollars(usage.get("estimated_cost"))
    ticks = _dollars(usage.get("cost_in_usd_ticks"))
    return ticks / 1e10 if said is None and ticks is not None else said


def _dollars(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0.0 <= value < _MOST_DOLLARS else None


def read_usage(usage: Any, *, said: bool = False) -> tuple[Usage, dict[str, float]]:
    """Tokens, and the same as they are stored; `said` says that there is an answer that they are
    of. LiteLLM fills in zeros where a provider said nothing: no prompt has no tokens and no answer
    either, so such a zero is unknown, not free.

    Some providers count what was thought, cached or written beside the two sums instead of inside
    them: it belongs to them where it is more than they are, or where the total leaves room for it.
    What else the total holds is paid like the answer.
    """
    prompt = token_count(usage, "prompt_tokens")
    completion = token_count(usage, "completion_tokens")
    stated = _cost(get(usage, "cost"))
    if not prompt and not completion:
        told = {} if stated is None else {"stated_cost": stated}
        return Usage(stated_cost=stated), told
    prompt = prompt or None
    if said:
        completion = completion or None
    of_prompt = get(usage, "prompt_tokens_details")
    of_answer = get(usage, "completion_tokens_details")
    cached = _first(of_prompt, "cached_tokens")
    if cached is None:
        cached = _first(usage, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    reasoning = _first(of_answer, "reasoning_tokens")
    if reasoning is None:
        reasoning = _first(usage, "reasoning_tokens")
    written, hour = _written(usage, of_prompt)
    total = token_count(usage, "total_tokens") or 0
    beside = (cached or 0) + (written or 0)
    room = total - (prompt or 0) - (completion or 0)
    if prompt is not None and beside and (beside > prompt or room in _sums(beside, reasoning)):
        prompt, room = prompt + beside, room - beside
    if completion is not None and (reasoning or 0) > completion:
        completion, room = completion + (reasoning or 0), room - (reasoning or 0)
    if prompt is not None and completion is not None and room > 0:
        completion += room
    named: dict[str, float | None] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cached_tokens": cached,
        "reasoning_tokens": reasoning,
        "written_tokens": written,
        "stated_cost": stated,
    }
    return (
        Usage(
            prompt,
            completion,
            cached,
            reasoning,
            written_tokens=written,
            written_hour_tokens=hour,
            stated_cost=stated,
        ),
        {name: count for name, count in named.items() if count is not None},
    )


def _sums(beside: int, reasoning: int | None) -> tuple[int, int]:
    return beside, beside + (reasoning or 0)


def _written(usage: Any, of_prompt: Any) -> tuple[int | None, int | None]:
    """Tokens of the prompt that were written into a cache, and those of them for an hour."""
    written = _first(usage, "cache_creation_input_tokens", "cache_write_input_tokens") or _first(
        of_prompt, "cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"
    )
    split = get(usage, "cache_creation") or get(of_prompt, "cache_creation_token_details")
    hour = token_count(split, "ephemeral_1h_input_tokens") or 0
    written = max(written or 0, hour + (token_count(split, "ephemeral_5m_input_tokens") or 0))
    return written or None, hour or None


def _cost(value: Any) -> float | None:
    """Dollars, if that is what it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0.0 <= value < math.inf else None


def _first(holder: Any, *names: str) -> int | None:
    """The first of these counts that is there and not zero; a zero where that is all."""
    found = [count for name in names if (count := token_count(holder, name)) is not None]
    return next(filter(None, found), found[0] if found else None)


def reported(chunks: Sequence[Any], pieces: int = 0) -> dict[str, Any]:
    """The usage of a stream whose answer came in so many pieces: the most that any of its chunks
    says of each count. Some servers count on in every chunk (xAI, Gemini, vLLM), some say the
    prompt in the first one and the answer in the last (Anthropic).

    Where the counts of the answer fall, or are the same in every chunk and less than a token for
    each of its pieces, they are of their own chunks, and what was spent on the answer is their sum.
    """
    told = [usage for chunk in chunks if (usage := get(chunk, "usage")) is not None]
    counts = [said for usage in told if (said := token_count(usage, "completion_tokens"))]
    falls = any(after < before for before, after in pairwise(counts))
    adds = falls or (len(set(counts)) == 1 < len(counts) and counts[0] < pieces)
    found: dict[str, Any] = {}
    for usage in told:
        _gather(found, usage, adds=adds)
    return found


def _gather(found: dict[str, Any], usage: Any, *, adds: bool) -> None:
    for name, value in (usage if isinstance(usage, Mapping) else _fields(usage)).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            if 0 <= value <= _MOST_TOKENS:
                before = found.get(name, 0)
                found[name] = before + value if adds and name in _OF_ANSWER else max(before, value)
        elif value is not None and not isinstance(value, str | bool | list):
            inner = found.setdefault(name, {})
            if isinstance(inner, dict):
                _gather(inner, value, adds=adds)


def _fields(model: Any) -> Mapping[str, Any]:
    """The fields of an object of LiteLLM's."""
    return {**getattr(model, "__dict__", {}), **(getattr(model, "model_extra", None) or {})}


def get(holder: Any, name: str) -> Any:
    """A field of plain data, or of an object of LiteLLM's; None where there is none."""
    if holder is None:
        return None
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def token_count(holder: Any, name: str) -> int | None:
    """A number of tokens, if that is what it is."""
    return _whole(get(holder, name))


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MOST_TOKENS else None
