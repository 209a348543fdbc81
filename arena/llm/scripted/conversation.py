"""Reads the conversations that the arena's kinds hold with a model, for scripted models.

A conversation ends with a user message: what the player has seen, or what is new of it in a chat,
or (kind `remembering`) the rules, the latest part of it, notes and a task. Version 1 of that kind
put the notes before the latest part, and its task into a heading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.core import Message, text_of

_NOTES = "\n# Your notes"
_TASK = "\n\n# Your task: "
_REWRITE = "rewrite your notes"
_BELIEVE = "say what you believe"
_LEFT_OUT = "\n[…] What came before is in your notes."
_REWRITE_1 = "# Your notes, rewritten (JSON)"


@dataclass(frozen=True, slots=True)
class Conversation:
    """`text` is what the player has seen and still knows, oldest first: of notes, their facts, one
    to a line, in the place of what they stand for. `wants_notes`: notes are to be rewritten;
    `wants_beliefs`: with suspicions and claims in them. `wants_roles`: how likely each player has
    each role is to be said."""

    text: str
    facts: tuple[str, ...] = ()
    wants_notes: bool = False
    wants_beliefs: bool = False
    wants_roles: bool = False


def read(messages: Sequence[Message]) -> Conversation:
    """The conversation behind the messages; any text is taken as it comes."""
    if any(message["role"] == "assistant" for message in messages):
        content = "".join(text_of(message) for message in messages if message["role"] == "user")
    else:
        content = text_of(messages[-1]) if messages else ""
    seen, with_task, task = content.rpartition(_TASK)
    if not with_task:
        return _read_1(content)
    seen, _, notes = seen.partition(f"\n{_NOTES}\n")
    facts = _facts(notes)
    if _LEFT_OUT in seen:
        seen = seen.replace(_LEFT_OUT, _lines(facts), 1)
    wants_notes = task.startswith(_REWRITE)
    wants_roles = task.startswith(_BELIEVE)
    return Conversation(
        seen, facts, wants_notes, wants_beliefs=wants_notes, wants_roles=wants_roles
    )


def _read_1(content: str) -> Conversation:
    """A conversation of `thinking`, or of version 1 of `remembering`."""
    start = content.find(_NOTES)
    if start < 0:
        return Conversation(content)
    end = content.find("\n# What ", start)
    notes, rest = (content[start:], "") if end < 0 else (content[start:end], content[end:])
    facts = _facts(notes)
    seen = rest.removesuffix(_REWRITE_1)
    wants_notes = content.endswith(_REWRITE_1)
    return Conversation(content[:start] + _lines(facts) + seen, facts, wants_notes)


def _lines(facts: Sequence[str]) -> str:
    return "".join(f"\n[GAME] {fact}" for fact in facts)


def _facts(notes: str) -> tuple[str, ...]:
    try:
        found = json.loads(notes[notes.index("{") : notes.rindex("}") + 1])
        return tuple(str(fact) for fact in found["facts"])
    except (ValueError, KeyError, TypeError):
        return ()


def write_beliefs(chances: Mapping[int, Mapping[str, float]]) -> str:
    """Beliefs as the kind `believing` reads them: by player, how likely it has each role."""
    return json.dumps(
        {
            "beliefs": {
                str(player): {role: round(chance, 3) for role, chance in own.items()}
                for player, own in chances.items()
            }
        }
    )


def write_notes(
    facts: Sequence[str],
    plan: str,
    suspicions: Mapping[int, float] | None = None,
    claims: Mapping[int, str] | None = None,
) -> str:
    """Notes as the kind `remembering` reads them; of many facts the latest. `suspicions` are from
    0 to 1."""
    return json.dumps(
        {
            "suspicions": {
                str(player): round(much, 2) for player, much in (suspicions or {}).items()
            },
            "claims": {str(player): role for player, role in (claims or {}).items()},
            "facts": list(facts)[-20:],
            "plan": plan,
        }
    )
