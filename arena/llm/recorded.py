"""What is on record of a turn's calls, and whether a call asked now is the recorded one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from arena.core import Completion, DivergenceError, Message, ToolCall, Usage

# What the attempts are recorded to have failed of that decide how a turn continues.
TIME_LIMIT = "TimeLimit"
OVERFLOW = "ContextOverflow"
DECIDED = (TIME_LIMIT, OVERFLOW)
NOTHING = Completion("")


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One attempt: what was sent, its hash, and what came back.

    `answered` is false for a failure and for an attempt whose end was not seen; `completion` is the
    answer as the agent was given it, `seconds` how long it took, `error_class` what went wrong.
    """

    call_index: int
    call_number: int
    request_hash: str
    messages: Sequence[Message]
    answered: bool
    completion: Completion = NOTHING
    seconds: float = 0.0
    error_class: str | None = None


def response_of(completion: Completion) -> dict[str, Any]:
    """What is stored of a response of which nothing but the completion is known."""
    choice: dict[str, Any] = {"text": completion.text, "finish_reason": completion.finish_reason}
    if completion.thoughts:
        choice["reasoning_content"] = completion.thoughts
    if completion.refused:
        choice["refusal"] = completion.text
    if completion.tool_calls:
        choice["tool_calls"] = [
            {"name": call.name, "arguments": call.arguments} for call in completion.tool_calls
        ]
    if completion.thinking_blocks:
        choice["thinking_blocks"] = [dict(block) for block in completion.thinking_blocks]
    return {"choices": [choice]}


def completion_of(text: str, finish_reason: str | None, usage: Usage, response: Any) -> Completion:
    """A completion from its record: `response` is as it was stored."""
    choices = response.get("choices") if isinstance(response, Mapping) else None
    choice = choices[0] if choices else {}
    return Completion(
        text,
        finish_reason,
        usage,
        # So some providers word a refusal, and then there is no text.
        refused="refusal" in choice or (finish_reason == "content_filter" and not text),
        thoughts=choice.get("reasoning_content"),
        tool_calls=tuple(
            ToolCall(call["name"] or "", call["arguments"]) for call in choice.get("tool_calls", ())
        ),
        thinking_blocks=tuple(choice.get("thinking_blocks", ())),
    )


def check_same(
    recorded: Sequence[RecordedCall], digest: str, sent: Sequence[Message], place: str
) -> None:
    """Raises DivergenceError, with the first difference, when the request that is about to be
    made is not the recorded one."""
    for call in recorded:
        if call.request_hash != digest:
            raise DivergenceError(
                f"{place}, call {call.call_number}: {_difference(call.messages, sent)}"
            )


def _difference(recorded: Sequence[Message], sent: Sequence[Message]) -> str:
    for index, (before, now) in enumerate(zip_longest(recorded, sent)):
        if before != now:
            where = f"message {index}"
            if before is None or now is None:
                return f"{len(sent)} messages are sent, {len(recorded)} are on record"
            return f"{where} differs {text_difference(_shown(before), _shown(now))}"
    return "the messages are the same, the parameters of the request differ"


def _shown(message: Message) -> str:
    """The content where that is all there is, else the message as JSON."""
    if isinstance(message["content"], str) and len(message) == 2:
        return message["content"]
    return json.dumps(message, ensure_ascii=False, default=str)


def text_difference(recorded: str, now: str) -> str:
    """Where two texts differ first, with a little of both."""
    at = next(
        (i for i, (a, b) in enumerate(zip(recorded, now, strict=False)) if a != b),
        min(len(recorded), len(now)),
    )
    start = max(0, at - 20)
    was, is_ = recorded[start : at + 40], now[start : at + 40]
    return f"at character {at}: {json.dumps(was)} on record, {json.dumps(is_)} now"
