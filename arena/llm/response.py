"""Reads what a model answered into plain data: an allow-list of fields, never the whole object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.core import Usage
from arena.llm.retry import Fault


@dataclass(slots=True)
class Answer:
    """One answer: the text, what is stored of the response, and what it used (without dollars)."""

    text: str
    finish_reason: str | None
    model: str | None
    stored: dict[str, Any]
    usage: Usage
    first_token_ms: float | None = None


def read(response: Any) -> Answer:
    """An answer that came in one piece. Raises Fault where it holds no choice."""
    choices = getattr(response, "choices", None)
    if not choices:
        raise Fault(
            "EmptyResponse",
            "the provider answered without any choice; a chat completion was expected",
            status=200,
            retryable=True,
        )
    choice = choices[0]
    message = choice.message
    text = message.content or ""
    finish_reason = choice.finish_reason
    stored_choice: dict[str, Any] = {"text": text, "finish_reason": finish_reason}
    reasoning = getattr(message, "reasoning_content", None)
    if reasoning:
        stored_choice["reasoning_content"] = reasoning
    calls = getattr(message, "tool_calls", None)
    if calls:
        stored_choice["tool_calls"] = [
            {
                "id": call.id,
                "name": call.function.name,
                "arguments": call.function.arguments,
            }
            for call in calls
        ]
    usage, stored_usage = read_usage(getattr(response, "usage", None))
    return Answer(
        text=text,
        finish_reason=finish_reason,
        model=response.model,
        stored=_stored(response, stored_choice, stored_usage),
        usage=usage,
    )


def _stored(response: Any, choice: dict[str, Any], usage: dict[str, int]) -> dict[str, Any]:
    stored = {
        "id": response.id,
        "model": response.model,
        "created": response.created,
        "choices": [choice],
    }
    if usage:
        stored["usage"] = usage
    fingerprint = getattr(response, "system_fingerprint", None)
    if fingerprint:
        stored["system_fingerprint"] = fingerprint
    return stored


def read_usage(usage: Any) -> tuple[Usage, dict[str, int]]:
    """Tokens, and the same as they are stored. LiteLLM fills in zeros where a provider said
    nothing: no prompt has no tokens, so all zeros are unknown, not free."""
    prompt = _count(usage, "prompt_tokens")
    completion = _count(usage, "completion_tokens")
    if not prompt and not completion:
        return Usage(), {}
    cached = _count(getattr(usage, "prompt_tokens_details", None), "cached_tokens")
    reasoning = _count(getattr(usage, "completion_tokens_details", None), "reasoning_tokens")
    named = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cached_tokens": cached,
        "reasoning_tokens": reasoning,
    }
    return (
        Usage(prompt, completion, cached, reasoning),
        {name: count for name, count in named.items() if count is not None},
    )


def _count(holder: Any, name: str) -> int | None:
    if holder is None:
        return None
    value = holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@dataclass(slots=True)
class StreamedAnswer:
    """Gathers an answer chunk by chunk.

    LiteLLM ends a cut stream with a `finish_reason` and a usage of its own making: only what its
    wrapper says it received from the provider counts.
    """

    texts: list[str] = field(default_factory=list)
    reasonings: list[str] = field(default_factory=list)
    last: Any = None

    def add(self, chunk: Any) -> bool:
        """Take a chunk; True when it brought text or reasoning."""
        self.last = chunk
        if not chunk.choices:
            return False
        delta = chunk.choices[0].delta
        text = delta.content
        reasoning = getattr(delta, "reasoning_content", None)
        if text:
            self.texts.append(text)
        if reasoning:
            self.reasonings.append(reasoning)
        return bool(text or reasoning)

    def finish(self, stream: Any) -> Answer:
        """The whole answer of a stream that has ended. Raises Fault when it was cut."""
        finish_reason = getattr(stream, "received_finish_reason", None)
        if finish_reason is None or self.last is None:
            raise Fault(
                "CutStream",
                f"the stream ended without a finish_reason after {sum(map(len, self.texts))} "
                "characters; the connection was cut",
                retryable=True,
            )
        usage = Usage()
        stored_usage: dict[str, int] = {}
        for chunk in reversed(getattr(stream, "chunks", None) or []):
            reported = getattr(chunk, "usage", None)
            if reported is not None:
                usage, stored_usage = read_usage(reported)
                break
        text = "".join(self.texts)
        choice: dict[str, Any] = {"text": text, "finish_reason": finish_reason}
        if self.reasonings:
            choice["reasoning_content"] = "".join(self.reasonings)
        return Answer(
            text=text,
            finish_reason=finish_reason,
            model=self.last.model,
            stored=_stored(self.last, choice, stored_usage),
            usage=usage,
        )
