"""Reads the conversations that the arena's kinds hold with a model, for scripted models.

A conversation ends with a user message: what the player has seen, or (kind `remembering`) the
rules, notes and the latest part of it, or the request to rewrite the notes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from arena.core import Message

_NOTES = "\n# Your notes"
_REWRITE = "# Your notes, rewritten (JSON)"


@dataclass(frozen=True, slots=True)
class Conversation:
    """`text` is what the player has seen and still knows, oldest first: of notes, their facts, one
    to a line, in the place of what they stand for. `wants_notes`: notes are to be rewritten."""

    text: str
    facts: tuple[str, ...] = ()
    wants_notes: bool = False


def read(messages: Sequence[Message]) -> Conversation:
    """The conversation behind the messages; any text is taken as it comes."""
    content = messages[-1]["content"] if messages else ""
    start = content.find(_NOTES)
    if start < 0:
        return Conversation(content)
    wants_notes = content.endswith(_REWRITE)
    end = content.find("\n# What ", start)
    notes, rest = (content[start:], "") if end < 0 else (content[start:end], content[end:])
    facts = _facts(notes)
    seen = rest.removesuffix(_REWRITE)
    remembered = "".join(f"\n[GAME] {fact}" for fact in facts)
    return Conversation(content[:start] + remembered + seen, facts, wants_notes)


def _facts(notes: str) -> tuple[str, ...]:
    try:
        found = json.loads(notes[notes.index("{") : notes.rindex("}") + 1])
        return tuple(str(fact) for fact in found["facts"])
    except (ValueError, KeyError, TypeError):
        return ()


def write_notes(facts: Sequence[str], plan: str) -> str:
    """Notes as the kind `remembering` reads them; of many facts the latest."""
    return json.dumps({"suspicions": {}, "claims": {}, "facts": list(facts)[-20:], "plan": plan})
