"""Joins the neighbouring events of a stream that only bring more of the same text.

An answer may come in ten thousand events at once, and LiteLLM takes a millisecond or two for each.
What came together is read together: the text is the same, and so is all that stands beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_OPENAI = ("content", "reasoning_content", "reasoning")
_ANTHROPIC = ("text", "thinking", "partial_json")
_USAGES = ("usage", "usageMetadata")
# What may differ from event to event and says nothing of the text.
_PASSING = ("id", "created", *_USAGES)


def joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream of events, in the forms that LiteLLM reads, with texts that follow each
    other in one event. All other lines are as they were and where they were."""
    held: _Piece | None = None
    between: list[bytes] = []
    for line in lines:
        piece = _piece(line)
        if held is not None and piece is None and _is_frame(line):
            between.append(line)
            continue
        if held is not None and piece is not None and held.takes(piece):
            between.clear()
            continue
        if held is not None:
            yield held.line()
        yield from between
        between.clear()
        held = piece
        if piece is None:
            yield line
    if held is not None:
        yield held.line()
    yield from between


def _is_frame(line: bytes) -> bool:
    """Whether a line only parts two events of a text."""
    return not line.strip() or line.startswith((b":", b"id:", b"event: content_block_delta"))


@dataclass(slots=True)
class _Piece:
    """An event that brings pieces of texts, which stand in its `holder` by name. `rest` is what has
    to be the same for another to be joined."""

    raw: bytes
    event: dict[str, Any]
    holder: dict[str, Any]
    rest: dict[str, Any]
    texts: dict[str, list[str]]

    def takes(self, other: _Piece) -> bool:
        """Join the other one, if it goes on with the same texts."""
        if other.texts.keys() != self.texts.keys() or other.rest != self.rest:
            return False
        for name, pieces in other.texts.items():
            self.texts[name] += pieces
        for name in _USAGES:
            if name in other.event:
                self.event[name] = _most(self.event.get(name), other.event[name])
        self.raw = b""
        return True

    def line(self) -> bytes:
        if self.raw:
            return self.raw
        self.holder.update({name: "".join(pieces) for name, pieces in self.texts.items()})
        return b"data: " + json.dumps(self.event).encode() + b"\n"


def _piece(line: bytes) -> _Piece | None:
    if not line.startswith(b"data: {"):
        return None
    try:
        event = json.loads(line[6:])
    except (ValueError, RecursionError):
        return None
    place = _place(event)
    if place is None:
        return None
    holder, names = place
    texts = {name: [holder[name]] for name in names}
    holder.update(dict.fromkeys(names, ""))
    rest = {name: value for name, value in event.items() if name not in _PASSING}
    return _Piece(line, event, holder, rest, texts)


def _place(event: dict[str, Any]) -> tuple[dict[str, Any], list[str]] | None:
    """Where the texts of an event stand; None for one that brings anything else, too."""
    if event.get("type") == "content_block_delta":
        return _only(event.get("delta"), _ANTHROPIC, ("type",))
    choice = _single(event.get("choices"))
    if choice is not None:
        if choice.get("finish_reason") is not None or "error" in event:
            return None
        return _only(choice.get("delta"), _OPENAI, ("role",))
    candidate = _single(event.get("candidates"))
    if candidate is None or "finishReason" in candidate or "promptFeedback" in event:
        return None
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return _only(_single(parts), ("text",), ("thought",))


def _single(found: Any) -> dict[str, Any] | None:
    alone = isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict)
    return found[0] if alone else None


def _only(
    holder: Any, texts: tuple[str, ...], others: tuple[str, ...]
) -> tuple[dict[str, Any], list[str]] | None:
    """The holder and those of these texts that it has, where it has no more than that."""
    if not isinstance(holder, dict):
        return None
    said = [name for name, value in holder.items() if value and name not in others]
    fits = said and all(name in texts and isinstance(holder[name], str) for name in said)
    return (holder, said) if fits else None


def _most(before: Any, now: Any) -> Any:
    """The most that either of two usages says of each count."""
    if isinstance(before, dict) and isinstance(now, dict):
        return {**before, **{name: _most(before.get(name), one) for name, one in now.items()}}
    numbers = isinstance(before, int) and isinstance(now, int)
    return max(before, now) if numbers else (before if now is None else now)
