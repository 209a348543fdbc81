"""How much of what a model is sent begins as an earlier call of the same player did: what a
provider's cache can spare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# A call begins like one not long before it: with two calls a turn, like that of the turn before.
_REMEMBERED = 6


@dataclass(slots=True)
class SharedPrefix:
    """Counts over the calls of one player in one game, in the order in which they were sent:
    characters in all of them, and those that an earlier one began with."""

    characters: int = 0
    shared: int = 0
    _earlier: list[str] = field(default_factory=list)

    def add(self, messages: Sequence[Any] | None) -> float | None:
        """Count a call; the share of it that an earlier one began with, from 0 to 1. None for a
        call without messages."""
        sent = "".join(map(_written, messages or ()))
        if not sent:
            return None
        shared = max((_common(sent, before) for before in self._earlier), default=0)
        self._earlier = [*self._earlier[1 - _REMEMBERED :], sent]
        self.characters += len(sent)
        self.shared += shared
        return shared / len(sent)


def _written(message: Any) -> str:
    role, content = "", message
    if isinstance(message, dict):
        role, content = str(message.get("role", "")), message.get("content")
    return f"\n{role}\n{content}"


def _common(first: str, second: str) -> int:
    """Characters that both begin with."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first.startswith(second[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low
