"""What a library is asked so that its requests can be learned: probe conversations, and one for
each way in which a conversation may be unusual."""

from __future__ import annotations

from arena.core import Message
from arena.llm.providers.lean.template import Trait


def _said(*turns: str) -> list[Message]:
    """Messages from `role: text`."""
    return [
        {"role": role, "content": text}
        for role, _, text in (turn.partition(": ") for turn in turns)
    ]


USUAL = (
    _said("user: Good evening."),
    _said("system: You are player 1.", "user: [GAME] It is night.\nWhom do you choose?"),
    _said("system: Q", "user: ünï \u2028 \U0001f43a", 'assistant: "a"\\ {"b": 1}', "user: </c>"),
)
"""Conversations as games have them: where these are rewritten, all are."""

UNUSUAL = {
    Trait.EMPTY: _said("system: Q", "user:  ", "assistant: ", "user: c"),
    Trait.REPEATED: _said("system: Q", "user: a", "user: b"),
    Trait.ENDS_OTHERWISE: _said("user: a", "assistant: b"),
    Trait.BEGINS_OTHERWISE: _said("system: Q", "assistant: a", "user: b"),
    Trait.LATE_SYSTEM: _said("user: a", "system: Q", "user: b"),
}
"""A conversation for each trait: where it is rewritten, those with the trait are."""
