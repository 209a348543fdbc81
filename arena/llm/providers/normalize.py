"""Puts odd forms of a chat completion into the common one, which LiteLLM can read.

A content may be a list of parts, thoughts among them; any field may be of another type, or hold
nonsense. LiteLLM refuses all of the answer for it, or hears nothing in a stream, although it was
given and may have been paid for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from arena.llm.failures.inside import Heard
from arena.llm.providers import token_logs
from arena.llm.providers.cohere_events import (
    are_coheres,
    bare_lines,
    finish_reason_of,
    is_whole,
    whole_lines,
)
from arena.llm.providers.joined import joined
from arena.llm.providers.native import as_events, native_form
from arena.llm.providers.unwrap import BOM, error_in, unwrapped
from arena.llm.providers.usage import countable, usage_in

_MESSAGES = ("message", "delta")
_CHOICE = ("index", "finish_reason", *_MESSAGES)
_MESSAGE = (
    "role",
    "content",
    "refusal",
    "reasoning_content",
    "reasoning",
    "tool_calls",
    "provider_specific_fields",
)
_THOUGHTS = ("thinking_blocks", "reasoning_details", "thinking", "reasoning_content", "reasoning")
# The fields of an answer that are read, with the one type that LiteLLM takes.
_FIELDS = {
    "id": str,
    "object": str,
    "created": int,
    "model": str,
    "system_fingerprint": str,
    "service_tier": str,
    "provider": str,
}
# Fields beside the choices that LiteLLM looks into and nobody here does.
_DROPPED = ("citations", "search_results", "prompt_logprobs", "images", "audio", "annotations")

_LONGEST_NAME = 256
_MOST_REASONS = 100

# Why an answer ended in the forms of other protocols. A quotation mark inside a text has a
# backslash before it, so no text is taken for a field.
_REASON = re.compile(
    rb'(?<!\\)"(?:finish|stop|done)_?reason"\s*:\s*"([^"\\]{1,100})"', re.IGNORECASE
)


def lawful(body: bytes, heard: Heard | None = None, *, streamed: bool = False) -> bytes:
    """The body of an answer, or of one chunk of a stream (`streamed`), or any other body, in the
    form that LiteLLM reads; the same bytes where there is nothing to change. `heard` takes what it
    says that LiteLLM leaves out."""
    answer, whole = unwrapped(body)
    if not isinstance(answer, dict) or not isinstance(answer.get("choices"), list):
        put = native_form(answer, heard) if isinstance(answer, dict) else None
        if put is not None:
            return json.dumps(put).encode() if put != answer or not whole else body
        if heard is not None:
            if isinstance(answer, dict) and is_whole(answer):
                # LiteLLM says of each that it stopped.
                heard.finish_reason = finish_reason_of(answer)
            heard.fault = heard.fault or error_in(answer)
            if len(heard.reasons) < _MOST_REASONS:
                heard.reasons += [one.decode() for one in _REASON.findall(body) if one.isascii()]
        return body
    changed = _read_one(answer, heard) if streamed else False
    if heard is not None:
        _listen(answer, heard)
    changed |= _answer(answer)
    return json.dumps(answer).encode() if changed or not whole else body


def lawful_events(lines: bytes, heard: Heard | None = None) -> bytes:
    """The same for whole lines of a stream of events, or of lines of JSON."""
    if heard is not None:
        heard.events = True
    found = _joined_data(lines.removeprefix(BOM).splitlines(keepends=True))
    if heard is not None:
        if heard.bare is None:
            heard.bare = are_coheres(found)
        if heard.bare is not False:
            # Before the first event nothing is said.
            return bare_lines(found, heard)
    return b"".join(joined(_event(line, heard) for line in found))


def _joined_data(lines: list[bytes]) -> list[bytes]:
    """The lines, with what one event says in several put into one."""
    found: list[bytes] = []
    for line in lines:
        before = found[-1] if found else b""
        if line.startswith(b"data:") and before.startswith(b"data:") and not _is_json(before[5:]):
            found[-1] = before.rstrip() + line[5:]
        else:
            found.append(line)
    return found


def _is_json(said: bytes) -> bool:
    if said.strip()[:1] != b"{":
        return True
    try:
        json.loads(said)
    except (ValueError, RecursionError):
        return False
    return True


def _event(line: bytes, heard: Heard | None) -> bytes:
    line = line.removeprefix(BOM)
    if line.startswith(b":"):
        # A comment; LiteLLM takes it for the beginning of an answer of Google's.
        return b""
    if line.startswith(b"data:"):
        said = line[5:].strip()
        if heard is not None and said == b"[DONE]":
            heard.done = True
        put = lawful(said, heard, streamed=True)
        return line if put is said else b"data: " + put + b"\n"
    if line.startswith(b"{"):
        # Lines of JSON; other protocols than this one have them too.
        put = lawful(line.strip(), heard, streamed=True)
        return b"data: " + put + b"\n\n" if b'"choices"' in put else line
    # So llama.cpp said for years that a stream has failed; LiteLLM reads the data alone.
    if line.startswith(b"error:") and line[6:].lstrip().startswith(b"{"):
        return _event(b'data: {"error": ' + line[6:].strip() + b"}\n", heard)
    return line


def _read_one(answer: dict[str, Any], heard: Heard | None) -> bool:
    """Leave the choice that came first, as a piece of a stream; whether anything changed."""
    changed = False
    kept = []
    for choice in answer["choices"]:
        if not isinstance(choice, dict):
            continue
        index = choice.get("index")
        if heard is not None and type(index) is int:
            heard.choice = index if heard.choice is None else heard.choice
            if index != heard.choice:
                changed = True
                continue
        if choice.get("delta") is None:
            choice["delta"], changed = choice.pop("message", None) or {}, True
        kept.append(choice)
    answer["choices"] = kept
    return changed


def as_stream(body: bytes, heard: Heard | None = None) -> bytes:
    """A whole body where a stream was asked for: an answer or an error as an event, anything else
    as it is."""
    put = lawful(body, heard)
    try:
        answer = json.loads(put)
    except (ValueError, RecursionError):
        return put
    if not isinstance(answer, dict):
        return put
    if heard is not None:
        # It is all there.
        heard.events = heard.done = True
    if is_whole(answer):
        return whole_lines(answer, heard)
    if "choices" not in answer and (put_native := native_form(answer, None)) is not None:
        return b"".join(
            b"data: " + json.dumps(event).encode() + b"\n\n" for event in as_events(put_native)
        )
    # As `lawful` leaves them.
    choices = answer["choices"] if isinstance(answer.get("choices"), list) else []
    for choice in choices:
        if isinstance(choice.get("message"), dict):
            choice["delta"] = choice.pop("message")
    if choices or isinstance(answer.get("error"), dict):
        return b"data: " + json.dumps(answer).encode() + b"\n\ndata: [DONE]\n\n"
    return put


def _listen(answer: dict[str, Any], heard: Heard) -> None:
    """Who answers, why the answer ended, and what went wrong."""
    for name in ("provider", "service_tier", "system_fingerprint"):
        told = answer.get(name)
        if isinstance(told, str) and told:
            heard.told.setdefault(name, told[:_LONGEST_NAME])
    error = answer.get("error")
    for choice in answer["choices"][:1]:
        heard.choices = True
        if not isinstance(choice, dict):
            continue
        error = choice.get("error") or error
        token_logs.listen(choice, heard)
        for name, reasons in (
            ("finish_reason", heard.reasons),
            ("native_finish_reason", heard.native),
        ):
            reason = _word(choice.get(name))
            if reason and len(reasons) < _MOST_REASONS:
                reasons.append(reason)
    heard.error = heard.error or error
    usage = answer.get("usage")
    if isinstance(usage, dict) and "completion_tokens" in usage:
        heard.no_tokens = usage["completion_tokens"] == 0


def _answer(answer: dict[str, Any]) -> bool:
    """Put an answer into the common form; whether anything changed."""
    changed = _put_usage(answer)
    before = answer["choices"]
    choices = [choice for choice in before if isinstance(choice, dict)]
    changed |= len(choices) != len(before)
    answer["choices"] = choices
    for place, choice in enumerate(choices):
        changed |= _choice(choice, place)
    if any(isinstance(choice.get(name), dict) for choice in choices for name in _MESSAGES):
        # Beside an answer it says nothing that the answer's end does not.
        changed |= answer.pop("error", None) is not None
    for name, kind in _FIELDS.items():
        value = answer.get(name)
        if value is not None and type(value) is not kind:
            changed = True
            if kind is int and isinstance(value, float) and abs(value) < 2**53:
                answer[name] = int(value)
            elif kind is str and type(value) is int:
                answer[name] = str(value)
            else:
                del answer[name]
    for name in _DROPPED:
        changed |= answer.pop(name, None) is not None
    return changed


def _put_usage(answer: dict[str, Any]) -> bool:
    usage = countable(usage_in(answer))
    if not _differs(answer.get("usage"), usage):
        return False
    answer["usage"] = usage
    return True


def _choice(choice: dict[str, Any], place: int) -> bool:
    changed = False
    if type(choice.get("index", place)) is not int:
        choice["index"], changed = place, True
    reason = choice.get("finish_reason")
    if reason is not None and not isinstance(reason, str):
        choice["finish_reason"], changed = _word(reason), True
    if isinstance(choice.get("text"), str) and not any(choice.get(name) for name in _MESSAGES):
        # So the older protocol, which some servers still speak, says it.
        choice["message"], changed = {"role": "assistant", "content": choice.pop("text")}, True
    for name in _MESSAGES:
        message = choice.get(name)
        if isinstance(message, str | list):
            choice[name], changed = {"role": "assistant", "content": message}, True
        if isinstance(choice.get(name), dict):
            changed |= _message(choice[name])
    return changed | _only(choice, _CHOICE)


def _message(message: dict[str, Any]) -> bool:
    changed = _put_apart(message)
    for name in ("role", "refusal", "reasoning_content", "reasoning"):
        value = message.get(name)
        if value is not None and not isinstance(value, str):
            del message[name]
            changed = True
    specific = message.get("provider_specific_fields")
    if specific is not None and not isinstance(specific, dict):
        del message["provider_specific_fields"]
        changed = True
    calls = message.get("tool_calls")
    if calls is not None:
        found = calls if isinstance(calls, list) else []
        tools = [call for call in found if isinstance(call, dict) and _tool(call.get("function"))]
        if _differs(calls, tools):
            message["tool_calls"], changed = tools or None, True
    return changed | _only(message, _MESSAGE)


def _tool(function: Any) -> bool:
    """Whether it names a tool, or goes on with the arguments of one, in texts."""
    if not isinstance(function, dict):
        return False
    if isinstance(function.get("arguments"), dict):
        function["arguments"] = json.dumps(function["arguments"])
    return all(isinstance(function.get(name), str | None) for name in ("name", "arguments"))


def _only(holder: dict[str, Any], names: Collection[str]) -> bool:
    """Leave out all else: nothing of it is read, and LiteLLM refuses the whole answer for a field
    that is not what it expects."""
    odd = [name for name, value in holder.items() if value is not None and name not in names]
    for name in odd:
        del holder[name]
    return bool(odd)


def _differs(before: Any, after: Any) -> bool:
    # One is equal to true and to 1.0.
    return repr(before) != repr(after)


def _word(value: Any) -> str | None:
    """A reason that is a word, or a list with one in it."""
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, str)), None)
    return value[:_LONGEST_NAME] if isinstance(value, str) else None


def _put_apart(message: dict[str, Any]) -> bool:
    """What was said as a text, and what was thought in the one field that LiteLLM has for it;
    whether that changed anything."""
    told = any(_is_text(message.get(name)) for name in ("reasoning_content", "reasoning"))
    thoughts = "" if told else _thoughts(message)
    changed = False
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        changed = True
        parts = content if isinstance(content, list) else [content]
        said = [part for part in parts if not _is_thought(part)]
        message["content"] = _joined(said)
        thoughts = thoughts or "".join(_thought(part) for part in parts if _is_thought(part))
        refusals = [part.get("refusal") for part in said if isinstance(part, dict)]
        if not message.get("refusal") and (refused := _joined(refusals)):
            message["refusal"] = refused
    if thoughts and not told:
        message["reasoning_content"], changed = thoughts, True
    return changed


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _thoughts(message: dict[str, Any]) -> str:
    """What a model thought, from the fields that some servers have for it."""
    for name in _THOUGHTS:
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
    return "".join(map(_piece, parts))


def _piece(part: Any) -> str:
    """The text of a part; a number is what it looks like."""
    if isinstance(part, dict):
        part = part.get("text", part.get("content"))
        if isinstance(part, dict):
            part = part.get("value")
    if isinstance(part, str):
        return part
    return str(part) if isinstance(part, int | float) and not isinstance(part, bool) else ""
