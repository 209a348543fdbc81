"""Reads what a model answered into plain data: an allow-list of fields, never the whole object.

An answer is a stranger's: fields of the wrong type are left out, numbers that cannot be true are
unknown, and nothing is stored that is larger than an answer needs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.core import Usage
from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.providers.protocol import Answer
from arena.llm.recorded import completion_of

# A count above it is no count: the longest contexts are of 10^7 tokens.
_MOST_TOKENS = 10**9
_MOST_TOOL_CALLS = 32
_MOST_ARGUMENTS = 65_536
_MOST_THOUGHTS = 1_000_000
_LONGEST_NAME = 256


def read(response: Any) -> Answer:
    """An answer that came in one piece. Raises Fault where it holds no choice."""
    choices = _get(response, "choices")
    if not isinstance(choices, list | tuple) or not choices:
        raise _empty()
    message = _get(choices[0], "message")
    if message is None:
        raise _empty()
    return _answer(
        response,
        text=_text(_get(message, "content")),
        thoughts=_thoughts(message),
        refusal=_text(_get(message, "refusal") or _specific(message).get("refusal")),
        finish_reason=_name(_get(choices[0], "finish_reason")),
        calls=_tool_calls(_get(message, "tool_calls")),
        reported=_get(response, "usage"),
        headers=_headers(response),
    )


def is_silent(answer: Answer) -> bool:
    """Whether nothing came of it: no text, no thoughts, no call of a tool, no refusal."""
    said = answer.completion
    return not (said.text.strip() or said.thoughts or said.tool_calls or said.refused)


def _answer(
    response: Any,
    *,
    text: str,
    thoughts: str,
    refusal: str,
    finish_reason: str | None,
    calls: list[dict[str, Any]],
    reported: Any,
    headers: Any,
) -> Answer:
    usage, stored_usage = read_usage(reported, said=bool(text or thoughts or refusal or calls))
    if refusal:
        finish_reason = "refusal"
    choice: dict[str, Any] = {"text": text, "finish_reason": finish_reason}
    if thoughts:
        choice["reasoning_content"] = thoughts[:_MOST_THOUGHTS]
    if refusal:
        choice["refusal"] = refusal
    if calls:
        choice["tool_calls"] = calls
    created = _get(response, "created")
    stored: dict[str, Any] = {
        "id": _name(_get(response, "id")),
        "model": _name(_get(response, "model")),
        "created": created if isinstance(created, int) and abs(created) < 2**53 else None,
        "choices": [choice],
    }
    if stored_usage:
        stored["usage"] = stored_usage
    fingerprint = _name(_get(response, "system_fingerprint"))
    if fingerprint:
        stored["system_fingerprint"] = fingerprint
    stored |= _answered_by(response, headers)
    # What a model gave as its reason to refuse is the text where there is no other. The rest is
    # read as it will be read back from the record.
    completion = completion_of(text or refusal, finish_reason, usage, stored)
    return Answer(completion, stored["model"], stored)


def _answered_by(response: Any, headers: Any) -> dict[str, str]:
    """Who answered, as far as the response says: behind a router its provider, the tier of the
    service, and the region, which stands in a header whose name ends so (Azure, Groq)."""
    regions = (
        _name(value)
        for name, value in (headers.items() if isinstance(headers, Mapping) else ())
        if str(name).lower().endswith("region")
    )
    found = {
        "provider": _name(_get(response, "provider")),
        "service_tier": _name(_get(response, "service_tier")),
        "region": next(filter(None, regions), None),
    }
    return {name: said for name, said in found.items() if said}


def _headers(response: Any) -> Any:
    return _get(_get(response, "_hidden_params"), "additional_headers")


def read_usage(usage: Any, *, said: bool = False) -> tuple[Usage, dict[str, float]]:
    """Tokens, and the same as they are stored; `said` says that there is an answer that they are
    of. LiteLLM fills in zeros where a provider said nothing: no prompt has no tokens and no answer
    either, so such a zero is unknown, not free.

    Some providers count what was thought, cached or written beside the two sums instead of inside
    them: it belongs to them where it is more than they are, or where the total leaves room for it.
    What else the total holds is paid like the answer.
    """
    prompt = _count(usage, "prompt_tokens")
    completion = _count(usage, "completion_tokens")
    stated = _cost(_get(usage, "cost"))
    if not prompt and not completion:
        told = {} if stated is None else {"stated_cost": stated}
        return Usage(stated_cost=stated), told
    prompt = prompt or None
    if said:
        completion = completion or None
    of_prompt = _get(usage, "prompt_tokens_details")
    of_answer = _get(usage, "completion_tokens_details")
    cached = _first(of_prompt, "cached_tokens")
    if cached is None:
        cached = _first(usage, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    reasoning = _first(of_answer, "reasoning_tokens")
    if reasoning is None:
        reasoning = _first(usage, "reasoning_tokens")
    written, hour = _written(usage, of_prompt)
    total = _count(usage, "total_tokens") or 0
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
    split = _get(usage, "cache_creation") or _get(of_prompt, "cache_creation_token_details")
    hour = _count(split, "ephemeral_1h_input_tokens") or 0
    written = max(written or 0, hour + (_count(split, "ephemeral_5m_input_tokens") or 0))
    return written or None, hour or None


def _cost(value: Any) -> float | None:
    """Dollars, if that is what it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0.0 <= value < math.inf else None


def _first(holder: Any, *names: str) -> int | None:
    """The first of these counts that is there and not zero; a zero where that is all."""
    found = [count for name in names if (count := _count(holder, name)) is not None]
    return next(filter(None, found), found[0] if found else None)


def _get(holder: Any, name: str) -> Any:
    if holder is None:
        return None
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _specific(message: Any) -> Mapping[str, Any]:
    # LiteLLM keeps here what it has no field of its own for.
    fields = _get(message, "provider_specific_fields")
    return fields if isinstance(fields, Mapping) else {}


def _count(holder: Any, name: str) -> int | None:
    value = _get(holder, name)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MOST_TOKENS else None


def _name(value: Any) -> str | None:
    """A short word of the response's, or None for anything else."""
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:_LONGEST_NAME]


def _text(content: Any) -> str:
    """The text of a content, which may be a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return ""
    parts = [part if isinstance(part, str) else _get(part, "text") for part in content]
    return "".join(part for part in parts if isinstance(part, str))


def _thoughts(message: Any) -> str:
    """What a model thought before it answered, in either of LiteLLM's forms."""
    said = _text(_get(message, "reasoning_content"))
    blocks = _get(message, "thinking_blocks")
    if said or not isinstance(blocks, list | tuple):
        return said
    return "".join(_text(_get(block, "thinking")) for block in blocks)


def _tool_calls(calls: Any) -> list[dict[str, Any]]:
    if not isinstance(calls, list | tuple):
        return []
    return [
        {
            "id": _name(_get(call, "id")),
            "name": _name(_get(_get(call, "function"), "name")),
            "arguments": _text(_get(_get(call, "function"), "arguments"))[:_MOST_ARGUMENTS],
        }
        for call in calls[:_MOST_TOOL_CALLS]
    ]


def _empty() -> Fault:
    return Fault(
        "EmptyResponse",
        "the provider answered without any choice; a chat completion was expected",
        kind=FaultKind.MALFORMED,
        status=200,
    )


@dataclass(slots=True)
class StreamedAnswer:
    """Puts an answer together from the chunks of a stream."""

    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    last: Any = None
    ended: str | None = None

    def add(self, chunk: Any) -> bool:
        """Take a chunk; True when it brought something of the answer."""
        self.last = chunk
        choices = _get(chunk, "choices")
        if not choices:
            return False
        self.ended = _name(_get(choices[0], "finish_reason")) or self.ended
        delta = _get(choices[0], "delta")
        text = _text(_get(delta, "content"))
        thoughts = _thoughts(delta)
        refusal = _text(_get(delta, "refusal") or _specific(delta).get("refusal"))
        calls = _tool_calls(_get(delta, "tool_calls"))
        if text:
            self.texts.append(text)
        if thoughts:
            self.thoughts.append(thoughts)
        if refusal:
            self.refusals.append(refusal)
        for place, call in enumerate(calls):
            self._call(_count(_get(delta, "tool_calls")[place], "index") or 0, call)
        return bool(text or thoughts or refusal or calls)

    def _call(self, index: int, piece: dict[str, Any]) -> None:
        """A piece of a tool call; the first one names it."""
        if index not in self.calls and len(self.calls) >= _MOST_TOOL_CALLS:
            return
        call = self.calls.setdefault(index, {"id": None, "name": None, "arguments": ""})
        call["id"] = call["id"] or piece["id"]
        call["name"] = call["name"] or piece["name"]
        call["arguments"] = (call["arguments"] + piece["arguments"])[:_MOST_ARGUMENTS]

    def finish(self, stream: Any, *, ended: bool | None = None) -> Answer:
        """The whole answer of a stream that has come to an end. `ended` says whether that was heard
        (None where nobody listened): LiteLLM ends a stream that was cut with a reason of its own,
        and forgets that of a chunk with text. Raises Fault when it was cut."""
        finish_reason = getattr(stream, "received_finish_reason", None)
        if ended is not None:
            finish_reason = (finish_reason or self.ended or "stop") if ended else None
        if finish_reason is None or self.last is None:
            raise Fault(
                "CutStream",
                f"the stream ended without a finish_reason after {sum(map(len, self.texts))} "
                "characters; the connection was cut",
                kind=FaultKind.CUT,
            )
        return _answer(
            self.last,
            text="".join(self.texts),
            thoughts="".join(self.thoughts),
            refusal="".join(self.refusals),
            finish_reason=_name(finish_reason),
            calls=[self.calls[index] for index in sorted(self.calls)],
            reported=_reported(getattr(stream, "chunks", None) or []),
            headers=_headers(stream),
        )


def _reported(chunks: Sequence[Any]) -> dict[str, Any]:
    """The usage of a stream: the most that any of its chunks says of each. Some servers count on
    in every chunk, some say the prompt in the first one and the answer in the last."""
    most: dict[str, Any] = {}
    for chunk in chunks:
        reported = _get(chunk, "usage")
        if reported is not None:
            _gather(most, reported)
    return most


def _gather(most: dict[str, Any], reported: Any) -> None:
    fields = reported if isinstance(reported, Mapping) else _fields(reported)
    for name, value in fields.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            if 0 <= value <= _MOST_TOKENS:
                most[name] = max(most.get(name, 0), value)
        elif value is not None and not isinstance(value, str | bool | list):
            inner = most.setdefault(name, {})
            if isinstance(inner, dict):
                _gather(inner, value)


def _fields(model: Any) -> Mapping[str, Any]:
    """The fields of an object of LiteLLM's."""
    return {**getattr(model, "__dict__", {}), **(getattr(model, "model_extra", None) or {})}
