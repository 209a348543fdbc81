"""Reads what a model answered into plain data: an allow-list of fields, never the whole object.

An answer is a stranger's: fields of the wrong type are left out, numbers that cannot be true are
unknown, and nothing is stored that is larger than an answer needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.providers.protocol import Answer
from arena.llm.providers.signed_thoughts import SignedThoughts
from arena.llm.providers.usage import get, read_usage, reported, token_count
from arena.llm.recorded import completion_of

_MOST_TOOL_CALLS = 32
_MOST_ARGUMENTS = 65_536
_MOST_THOUGHTS = 1_000_000
LONGEST_NAME = 256


def read(response: Any, *, signed: bool = False) -> Answer:
    """An answer that came in one piece, with its thoughts as they were `signed` where that is
    asked. Raises Fault where it holds no choice."""
    choices = get(response, "choices")
    if not isinstance(choices, list | tuple) or not choices:
        raise _empty()
    message = get(choices[0], "message")
    if message is None:
        raise _empty()
    thoughts = SignedThoughts()
    if signed:
        thoughts.add(message)
    return _answer(
        response,
        text=_text(get(message, "content")),
        thoughts=_thoughts(message),
        refusal=_text(get(message, "refusal") or _specific(message).get("refusal")),
        finish_reason=_name(get(choices[0], "finish_reason")),
        calls=_tool_calls(get(message, "tool_calls")),
        signed=thoughts,
        reported=get(response, "usage"),
        headers=_headers(response),
    )


def ended_by(answer: Answer, finish_reason: str) -> Answer:
    """The answer, ended for this reason."""
    stored = dict(answer.response or {})
    stored["choices"] = [
        {**choice, "finish_reason": finish_reason} for choice in stored.get("choices", ())
    ]
    said = answer.completion
    completion = completion_of(said.text, finish_reason, said.usage, stored)
    return replace(answer, completion=completion, response=stored)


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
    signed: SignedThoughts,
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
        if blocks := signed.kept():
            choice["thinking_blocks"] = blocks
    created = get(response, "created")
    stored: dict[str, Any] = {
        "id": _name(get(response, "id")),
        "model": _name(get(response, "model")),
        "created": created if isinstance(created, int) and abs(created) < 2**53 else None,
        "choices": [choice],
    }
    if stored_usage:
        stored["usage"] = stored_usage
    fingerprint = _name(get(response, "system_fingerprint"))
    if fingerprint:
        stored["system_fingerprint"] = fingerprint
    stored |= answered_by(response, headers)
    # What a model gave as its reason to refuse is the text where there is no other. The rest is
    # read as it will be read back from the record.
    completion = completion_of(text or refusal, finish_reason, usage, stored)
    return Answer(completion, stored["model"], stored)


def answered_by(response: Any, headers: Any) -> dict[str, str]:
    """Who answered, as far as the response says: behind a router its provider, the tier of the
    service, and the region, which stands in a header whose name ends so (Azure, Groq)."""
    found = {
        name: said for name in ("provider", "service_tier") if (said := _name(get(response, name)))
    }
    # All names are looked through at once: most answers have thirty headers, and no region.
    if isinstance(headers, Mapping) and "region" in "\n".join(headers).lower():
        for name, value in headers.items():
            if name[-6:].lower() == "region" and (said := _name(value)):
                found["region"] = said
                break
    return found


def _headers(response: Any) -> Any:
    return get(get(response, "_hidden_params"), "additional_headers")


def _specific(message: Any) -> Mapping[str, Any]:
    # LiteLLM keeps here what it has no field of its own for.
    fields = get(message, "provider_specific_fields")
    return fields if isinstance(fields, Mapping) else {}


def _name(value: Any) -> str | None:
    """A short word of the response's, or None for anything else."""
    if value is None or isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)[:LONGEST_NAME]


def _text(content: Any) -> str:
    """The text of a content, which may be a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return ""
    parts = [part if isinstance(part, str) else get(part, "text") for part in content]
    return "".join(part for part in parts if isinstance(part, str))


def _thoughts(message: Any) -> str:
    """What a model thought before it answered, in either of LiteLLM's forms."""
    said = _text(get(message, "reasoning_content"))
    blocks = get(message, "thinking_blocks")
    if said or not isinstance(blocks, list | tuple):
        return said
    return "".join(_text(get(block, "thinking")) for block in blocks)


def _tool_calls(calls: Any) -> list[dict[str, Any]]:
    if not isinstance(calls, list | tuple):
        return []
    return [
        {
            "id": _name(get(call, "id")),
            "name": _name(get(get(call, "function"), "name")),
            "arguments": _text(get(get(call, "function"), "arguments"))[:_MOST_ARGUMENTS],
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
    """Puts an answer together from the chunks of a stream, with its thoughts as they were signed
    where it `keeps_signed` ones."""

    keeps_signed: bool = False
    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    signed: SignedThoughts = field(default_factory=SignedThoughts)
    last: Any = None
    ended: str | None = None
    pieces: int = 0

    def add(self, chunk: Any) -> bool:
        """Take a chunk; True when it brought something of the answer."""
        self.last = chunk
        choices = get(chunk, "choices")
        if not choices:
            return False
        self.ended = _name(get(choices[0], "finish_reason")) or self.ended
        delta = get(choices[0], "delta")
        text = _text(get(delta, "content"))
        thoughts = _thoughts(delta)
        refusal = _text(get(delta, "refusal") or _specific(delta).get("refusal"))
        calls = _tool_calls(get(delta, "tool_calls"))
        if text:
            self.texts.append(text)
        if thoughts:
            self.thoughts.append(thoughts)
        if refusal:
            self.refusals.append(refusal)
        if self.keeps_signed:
            self.signed.add(delta)
        for place, call in enumerate(calls):
            self._call(token_count(get(delta, "tool_calls")[place], "index") or 0, call)
        brought = bool(text or thoughts or refusal or calls)
        self.pieces += brought
        return brought

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
            text=_joined(self.texts),
            thoughts=_joined(self.thoughts),
            refusal=_joined(self.refusals),
            finish_reason=_name(finish_reason),
            calls=[self.calls[index] for index in sorted(self.calls)],
            signed=self.signed,
            reported=reported(getattr(stream, "chunks", None) or [], self.pieces),
            headers=_headers(stream),
        )


def _joined(pieces: Sequence[str]) -> str:
    """The text of pieces, of which one may end in the middle of a surrogate pair."""
    text = "".join(pieces)
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
