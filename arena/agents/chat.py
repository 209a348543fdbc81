"""A game as a chat: what a player saw as user messages, its own turns between them as the
assistant's. Messages are only ever added, so that a provider's cache holds all but the last."""

from __future__ import annotations

import re

from arena.core import Message, Observation

# No provider takes an empty message, and some take no turn without an answer.
_NOTHING_SAID = "…"
_NOTHING_NEW = "It is your turn."


class Chat:
    """What was said so far, as the model is sent it."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    def asked(self, observation: Observation) -> list[Message]:
        """The messages of a turn: all of those before, and what is new as the last."""
        last = self._messages[-1] if self._messages else None
        if last is None:
            new = observation.text
        else:
            if last["role"] == "user":
                # The turn before ended without an answer.
                self.said("")
            new = _without(str(self._messages[-1]["content"]), observation.new)
        content = new if new.strip() else _NOTHING_NEW
        self._messages.append({"role": "user", "content": content})
        return [*self._messages]

    def said(self, answer: str) -> None:
        """What the model said in this turn."""
        self._messages.append({"role": "assistant", "content": answer.strip() or _NOTHING_SAID})


def _without(said: str, new: str) -> str:
    """What is new without the player's own turn, which the game repeats at its beginning."""
    echo = re.match(rf"\n?\[[^\]\n]{{1,60}}\] {re.escape(said)}(?=\n|\Z)", new)
    return new if echo is None else new[echo.end() :]
