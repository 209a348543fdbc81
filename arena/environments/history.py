"""What each player of a TextArena game has seen so far, grown as TextArena's wrappers would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

# TextArena's sender of messages that come from the game.
GAME = -1


class ObservationHistory(Protocol):
    """Takes the messages that are new to a player; gives all it has seen, and what is new of it."""

    def extend(
        self, player: int, messages: Sequence[Any], names: Mapping[int, str]
    ) -> tuple[str, str]: ...


class CumulativeHistory:
    """The text of TextArena's LLMObservationWrapper, without rendering all of it at every turn."""

    __slots__ = ("_texts",)

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def extend(
        self, player: int, messages: Sequence[Any], names: Mapping[int, str]
    ) -> tuple[str, str]:
        """`messages` are (sender, text, type); `names` maps a sender to what it is called."""
        new = "".join(
            [
                f"\n[{'GAME' if sender == GAME else names.get(sender, f'Player {sender}')}] {text}"
                for sender, text, _ in messages
            ]
        )
        seen = self._texts.get(player, "") + new
        self._texts[player] = seen
        return seen, new


class WrappedHistory:
    """The text of any other observation wrapper; `new` is all of it when it was rewritten."""

    __slots__ = ("_texts", "_wrapper")

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper
        self._texts: dict[int, str] = {}

    def extend(
        self, player: int, messages: Sequence[Any], names: Mapping[int, str]
    ) -> tuple[str, str]:
        """`names` is not used: the wrapper asks its environment."""
        text: str = self._wrapper.observation(player, messages)
        seen = self._texts.get(player, "")
        self._texts[player] = text
        return text, text[len(seen) :] if text.startswith(seen) else text
