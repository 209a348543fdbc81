"""What happens when a conversation no longer fits into its model's context: decided once for a
player of a game, and the same again when the game is replayed.

A request that was too long is on record as such, and what follows from it is a function of the
messages alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from arena.core import ContextOverflow, Message, text_of
from arena.core.openings import MESSAGE_START, opening_of

LEFT_OUT = "\n[…] What came before is left out: the model's context is too short for it."

# How often a call is shortened: to three quarters, then to halves of that.
_MOST_CUTS = 3


class OverflowPolicy(StrEnum):
    """`void`: the game has no result, and is not played again. `truncate-oldest`: the oldest of
    what the player has seen is left out, from then on. `lose`: its turns count as overlong, from
    then on, and the rules are given nothing for them."""

    VOID = "void"
    TRUNCATE = "truncate-oldest"
    LOSE = "lose"


@dataclass(slots=True)
class ContextLimit:
    """What one player of one game knows of its model's context: nothing, until a request was too
    long. From then on `characters` is the most that is sent, or the player has `lost`."""

    policy: OverflowPolicy = OverflowPolicy.VOID
    characters: int | None = None
    lost: bool = False

    def fitting(self, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages as they are sent. Raises ContextOverflow where the player has lost."""
        if self.lost:
            raise ContextOverflow(
                "the conversation is longer than the model's context", forfeit=True
            )
        return messages if self.characters is None else truncated(messages, self.characters)

    def shorter(
        self, messages: Sequence[Message], refused: Sequence[Message], cuts: int, why: str
    ) -> Sequence[Message]:
        """The messages after these of them were refused, `cuts` times shortened before. Raises
        ContextOverflow where they are not to be shortened, or cannot."""
        if self.policy is not OverflowPolicy.TRUNCATE or cuts >= _MOST_CUTS:
            self.lost = self.policy is OverflowPolicy.LOSE
            raise ContextOverflow(why, forfeit=self.lost)
        size = size_of(refused)
        self.characters = size // 2 if self.characters is not None else size * 3 // 4
        shorter = truncated(messages, self.characters)
        if size_of(shorter) >= size:
            raise ContextOverflow(why)
        return shorter


def size_of(messages: Sequence[Message]) -> int:
    """Characters of the texts of messages."""
    return sum(len(text_of(message)) for message in messages)


def truncated(messages: Sequence[Message], limit: int) -> list[Message]:
    """The messages in about `limit` characters: system messages and the opening stay, the oldest
    of the rest is left out, and that is said in its place.

    What is left out grows in steps of a quarter of the limit, so that the beginning stays the same
    for some turns. The end of the last message always stays.
    """
    excess = size_of(messages) - limit
    first = next((i for i, message in enumerate(messages) if message["role"] != "system"), None)
    if excess <= 0 or first is None:
        return list(messages)
    step = max(limit // 4, 1)
    left_out = -(-excess // step) * step
    opening = _opening(text_of(messages[first]), limit)
    kept: list[Message] = [*messages[:first], {**messages[first], "content": opening + LEFT_OUT}]
    rest: list[Message] = [
        {**messages[first], "content": text_of(messages[first])[len(opening) :]},
        *messages[first + 1 :],
    ]
    # An end of what was seen last stays, whatever is too long.
    least = limit // 4
    while rest:
        size = len(text_of(rest[0]))
        if len(rest) == 1:
            left_out = max(min(left_out, size - least), 0)
        if left_out < size or len(rest) == 1:
            break
        left_out -= size
        rest.pop(0)
    oldest = rest.pop(0)
    content = oldest["content"]
    if isinstance(content, str) and oldest["role"] == "user":
        oldest = {**oldest, "content": _end(content, left_out)}
    return _joined(kept, [oldest, *rest])


def _opening(text: str, limit: int) -> str:
    """The opening; of one that fills half of the limit, its first lines."""
    opening = opening_of(text)
    if len(opening) <= limit // 2:
        return opening
    end = text.rfind("\n", 0, limit // 4)
    return text[: end if end > 0 else limit // 4]


def _end(text: str, start: int) -> str:
    """The text from the first message, else the first line, that begins at `start` or later."""
    if start <= 0:
        return text
    label = MESSAGE_START.search(text, start)
    if label is not None:
        return text[label.start() :]
    line = text.find("\n", start)
    # A line that ends the text would leave nothing.
    return text[line:] if 0 <= line < start + (len(text) - start) // 2 else text[start:]


def _joined(kept: list[Message], rest: list[Message]) -> list[Message]:
    """Both, with what the first of the rest says in the message before it where they are of one
    role: some providers take no two such messages in turn."""
    last, following = kept[-1], rest[0]
    content = following["content"]
    if last["role"] != following["role"] or not isinstance(content, str):
        return [*kept, *rest]
    between = "" if not content or content.startswith("\n") else "\n"
    return [*kept[:-1], {**last, "content": f"{last['content']}{between}{content}"}, *rest[1:]]
