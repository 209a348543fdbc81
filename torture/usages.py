"""The forms in which providers say what a call took, and what each of them is billed.

A stream says it in another place each time: in a chunk of its own at the end, in every chunk what
it was so far, in every chunk what that chunk took, in the first or the last chunk alone, the prompt
in the first and the answer in the last, in a choice, and in a field of the provider's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Tokens that were thought, beside what was said; and more than the requests' max_tokens.
THOUGHT = 150
BEYOND = 1200


@dataclass(frozen=True, slots=True)
class Call:
    """What a call took, in tokens, and what they cost in dollars a million."""

    prompt: int
    said: int
    prices: tuple[float, float]

    def dollars(self, thought: int = 0) -> float:
        return (self.prompt * self.prices[0] + (self.said + thought) * self.prices[1]) / 1e6


Told = Mapping[str, Any] | None


def _plain(call: Call) -> tuple[Told, float]:
    return _counts(call), call.dollars()


def _counts(call: Call, more: int = 0, total: int = 0) -> dict[str, Any]:
    said = call.said + more
    return {
        "prompt_tokens": call.prompt,
        "completion_tokens": said,
        "total_tokens": call.prompt + said + total,
    }


def _no_prompt(call: Call) -> tuple[Told, float]:
    return {"completion_tokens": call.said}, call.dollars()


def _zero_prompt(call: Call) -> tuple[Told, float]:
    told = {"prompt_tokens": 0, "completion_tokens": call.said, "total_tokens": call.said}
    return told, call.dollars()


def _no_answer(call: Call) -> tuple[Told, float]:
    return {"prompt_tokens": call.prompt}, call.dollars()


def _nothing(call: Call) -> tuple[Told, float]:
    return None, call.dollars()


def _empty(call: Call) -> tuple[Told, float]:
    return {}, call.dollars()


def _thoughts_inside(call: Call) -> tuple[Told, float]:
    details = {"completion_tokens_details": {"reasoning_tokens": THOUGHT}}
    return {**_counts(call, THOUGHT), **details}, call.dollars(THOUGHT)


def _thoughts_beside(call: Call) -> tuple[Told, float]:
    details = {"completion_tokens_details": {"reasoning_tokens": THOUGHT}}
    return {**_counts(call, 0, THOUGHT), **details}, call.dollars(THOUGHT)


def _thoughts_in_the_total(call: Call) -> tuple[Told, float]:
    return _counts(call, 0, THOUGHT), call.dollars(THOUGHT)


def _beyond(call: Call) -> tuple[Told, float]:
    return _counts(call, BEYOND), call.dollars(BEYOND)


def _dearer(call: Call) -> tuple[Told, float]:
    billed = 3 * call.dollars()
    return {**_counts(call), "cost": billed}, billed


def _in_parts(call: Call) -> tuple[Told, float]:
    billed = 2 * call.dollars()
    parts = {"input_tokens_cost": billed / 2, "request_cost": billed / 2, "total_cost": billed}
    return {**_counts(call), "cost": parts}, billed


def _own_key(call: Call) -> tuple[Told, float]:
    fee, upstream = call.dollars() / 20, 2 * call.dollars()
    details = {"upstream_inference_cost": upstream}
    told = {**_counts(call), "cost": fee, "is_byok": True, "cost_details": details}
    return told, fee + upstream


def _ticks(call: Call) -> tuple[Told, float]:
    ticks = round(2 * call.dollars() * 1e10)
    return {**_counts(call), "cost_in_usd_ticks": ticks}, ticks / 1e10


def _estimated(call: Call) -> tuple[Told, float]:
    billed = 2 * call.dollars()
    return {**_counts(call), "estimated_cost": billed}, billed


def _cheaper(call: Call) -> tuple[Told, float]:
    return {**_counts(call), "cost": call.dollars() / 2}, call.dollars() / 2


SHAPES: Mapping[str, Callable[[Call], tuple[Told, float]]] = {
    "plain": _plain,
    "no prompt": _no_prompt,
    "a prompt of nothing": _zero_prompt,
    "no answer": _no_answer,
    "null": _nothing,
    "empty": _empty,
    "thoughts inside": _thoughts_inside,
    "thoughts beside": _thoughts_beside,
    "thoughts in the total": _thoughts_in_the_total,
    "beyond max_tokens": _beyond,
    "dearer than listed": _dearer,
    "dollars in parts": _in_parts,
    "a key of one's own": _own_key,
    "ticks": _ticks,
    "estimated": _estimated,
    "cheaper than listed": _cheaper,
}


def told(number: int, call: Call) -> tuple[Told, float]:
    """What the call of this number is told to have taken, and what it is billed."""
    return list(SHAPES.values())[number % len(SHAPES)](call)


PLACES = ("own chunk", "so far", "first", "last", "split", "each", "choice", "x_groq")


def chunks(number: int, words: list[str], usage: Told) -> Iterator[dict[str, Any]]:
    """The choices and the usage of each chunk of a stream."""
    place = PLACES[number // len(SHAPES) % len(PLACES)]
    last = len(words) - 1
    for index, word in enumerate(words):
        chunk: dict[str, Any] = {"choices": [_choice({"content": word}, None)]}
        if place == "so far" and usage:
            chunk["usage"] = _so_far(usage, index, len(words))
        elif place == "each" and usage:
            chunk["usage"] = _of_chunk(usage, index, len(words))
        elif place == "first":
            chunk["usage"] = usage if index == 0 else None
        elif place == "split" and usage and index == 0:
            chunk["usage"] = {**usage, "completion_tokens": 1 if index < last else None}
        yield chunk
    end: dict[str, Any] = {"choices": [_choice({}, "stop")]}
    if place in ("so far", "last", "split"):
        end["usage"] = usage
    elif place == "choice":
        end["choices"][0]["usage"] = usage
    elif place == "x_groq":
        end["x_groq"] = {"id": "req_1", "usage": usage}
    yield end
    if place == "own chunk":
        yield {"choices": [], "usage": usage}


def _choice(delta: Mapping[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish_reason}


def _so_far(usage: Mapping[str, Any], index: int, words: int) -> dict[str, Any]:
    """What a server that counts on in every chunk says before the end."""
    known = {name: value for name, value in usage.items() if name == "prompt_tokens"}
    if "completion_tokens" in usage:
        known["completion_tokens"] = usage["completion_tokens"] * (index + 1) // (words + 1)
    return known


def _of_chunk(usage: Mapping[str, Any], index: int, words: int) -> Mapping[str, Any]:
    """What a server that says what each chunk took says: the first also has the prompt."""
    completion = usage.get("completion_tokens") or 0
    share = completion // words
    if index == 0:
        return {**usage, "completion_tokens": completion - share * (words - 1)}
    return {"prompt_tokens": 0, "completion_tokens": share}
