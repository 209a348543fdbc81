"""Puts lawful but rare forms of a chat completion into the common one, which LiteLLM can read.

A content may be a list of parts, thoughts among them; a usage may hold text, null or nonsense.
LiteLLM refuses all of the answer for it, or hears nothing in a stream, although it was given and
may have been paid for.
"""

from __future__ import annotations

import json
import re
from typing import Any

# What makes it worth while to look closer, by the letters before it; almost no answer has any.
_RARE = (
    (b'"content"', re.compile(rb"\s*:\s*\[")),
    (b'"thinking_blocks"', re.compile(rb"\s*:\s*\[")),
    (b'"reasoning_details"', re.compile(rb"\s*:\s*\[")),
    (b'"thinking"', re.compile(rb"\s*:\s*[\"\[]")),
    (b'_tokens"', re.compile(rb"\s*:(?!\s*\d{1,15}\s*[,}])")),
    (b'"usage"', re.compile(rb"\s*:\s*[^{\sn]")),
)
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")

_LONGEST_NAME = 256


def lawful(body: bytes) -> bytes:
    """The body of a chat completion or of one chunk of a stream, or any other body, in the form
    that LiteLLM reads; the same bytes where there is nothing to change."""
    if not is_rare(body):
        return body
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
        return body
    for choice in answer["choices"]:
        message = choice.get("message", choice.get("delta")) if isinstance(choice, dict) else None
        if isinstance(message, dict):
            _put_apart(message)
    if "usage" in answer:
        answer["usage"] = _usage(answer["usage"])
    return json.dumps(answer).encode()


def lawful_events(lines: bytes) -> bytes:
    """The same for whole lines of a stream of events."""
    rare = is_rare(lines)
    if not rare and b"error:" not in lines:
        return lines
    return b"".join(_event(line, rare) for line in lines.splitlines(keepends=True))


def _event(line: bytes, rare: bool) -> bytes:
    if rare and line.startswith(b"data:"):
        return b"data: " + lawful(line[5:].strip()) + b"\n"
    # So llama.cpp said for years that a stream has failed; LiteLLM reads the data alone.
    if line.startswith(b"error:") and line[6:].lstrip().startswith(b"{"):
        return b'data: {"error": ' + line[6:].strip() + b"}\n"
    return line


def as_stream(body: bytes) -> bytes:
    """A whole body where a stream was asked for: an error as an event, anything else as it is."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        return b"data: " + json.dumps(answer).encode() + b"\n\ndata: [DONE]\n\n"
    return body


def told_beside(lines: bytes) -> dict[str, str]:
    """Who answers, by the first event of a stream: LiteLLM drops it for some providers."""
    for line in lines.splitlines():
        if not line.startswith(b"data:"):
            continue
        try:
            event = json.loads(line[5:])
        except (ValueError, RecursionError):
            return {}
        told = event if isinstance(event, dict) else {}
        return {
            name: told[name][:_LONGEST_NAME]
            for name in ("provider", "service_tier", "system_fingerprint")
            if isinstance(told.get(name), str) and told[name]
        }
    return {}


def is_rare(body: bytes) -> bool:
    """Whether there may be something to change."""
    return any(_follows(body, *rare) for rare in _RARE)


def _follows(body: bytes, letters: bytes, rest: re.Pattern[bytes]) -> bool:
    """Whether the pattern comes right after the letters anywhere; ten times faster than a search
    for both together."""
    at = body.find(letters)
    while at >= 0:
        at += len(letters)
        if rest.match(body, at):
            return True
        at = body.find(letters, at)
    return False


def _put_apart(message: dict[str, Any]) -> None:
    """What was said as a text, and what was thought in the one field that LiteLLM has for it."""
    told = any(message.get(name) for name in ("reasoning_content", "reasoning"))
    thoughts = "" if told else _thoughts(message)
    content = message.get("content")
    if isinstance(content, list):
        parts = [part for part in content if not _is_thought(part)]
        message["content"] = _joined(parts)
        thoughts = thoughts or "".join(_thought(part) for part in content if _is_thought(part))
        refusals = [part.get("refusal") for part in parts if isinstance(part, dict)]
        if not message.get("refusal") and (refused := _joined(refusals)):
            message["refusal"] = refused
    if thoughts and not told:
        message["reasoning_content"] = thoughts


def _thoughts(message: dict[str, Any]) -> str:
    """What a model thought, from the fields that some servers have for it."""
    for name in ("thinking_blocks", "reasoning_details", "thinking"):
        value = message.get(name)
        blocks = value if isinstance(value, list) else [value]
        if thoughts := "".join(map(_thought, blocks)):
            return thoughts
    return ""


def _is_thought(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    return part.get("thought") is True or (
        isinstance(part.get("type"), str)
        and re.search("think|reason|thought", part["type"]) is not None
    )


def _thought(part: Any) -> str:
    """The text of a thought, which may be a list of parts again."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return ""
    for name in ("thinking", "reasoning", "text", "summary", "content"):
        value = part.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and (thoughts := _joined(value)):
            return thoughts
    return ""


def _joined(parts: list[Any]) -> str:
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return "".join(text for text in texts if isinstance(text, str))


def _usage(usage: Any) -> dict[str, Any] | None:
    """What of a usage can be counted with; None where either of its two counts cannot."""
    if not isinstance(usage, dict):
        return None
    counted = {name: _count(usage.get(name)) for name in _COUNTS}
    prompt, completion = counted["prompt_tokens"], counted["completion_tokens"]
    if prompt is None or completion is None:
        return None
    counts: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": counted["total_tokens"] or prompt + completion,
    }
    for name, details in usage.items():
        if isinstance(details, dict):
            counts[name] = {
                inner: value for inner, value in details.items() if _count(value) is not None
            }
    return counts


def _count(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= 10**9 else None
