"""How what players said comes before the others: harmless, wherever the rules put it.

A message of a player is put as `arena.core.inert.spoken` does. The rules quote players too, in
messages of their own: there, what looks like a control token or a label is broken, and a line put
behind a bar, when a player has said the same. What the rules say before anybody has spoken stays
as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import pairwise

from arena.core.inert import BAR, BREAK, places, speakers_of, spoken

# To know again, in what the rules quote: so many characters of a token or a label, or of a line
# together with the last one of the line before it.
_MARK = 3
_LINE = 12
# Messages of players that are put to the others, one after another.
_RECENT = 32


class Quoting:
    """What the players of one game have said so far, and what becomes of it in a prompt; `names`
    are those by which the game calls its players, `rules` what the rules said before anybody
    spoke: that is theirs, whoever says it again."""

    __slots__ = ("_lines", "_marks", "_own", "_speakers", "_spoken")

    def __init__(self, names: Iterable[str], rules: Iterable[str]) -> None:
        self._speakers = speakers_of(names)
        self._spoken = lru_cache(_RECENT)(partial(spoken, speakers=self._speakers))
        self._own = {_mark(text, place) for text in rules for place in places(text)}
        self._marks: set[str] = set()
        self._lines: set[str] = set()

    def heard(self, action: str) -> None:
        """A player said this to the rules."""
        said = {_mark(action, place) for place in places(action, self._speakers)}
        self._marks |= said - self._own
        self._lines.update(
            before[-1:] + _head(line) for before, line in pairwise(action.split("\n"))
        )

    def of_player(self, text: str) -> str:
        """A player's message, as the others are shown it."""
        return self._spoken(text)

    def of_rules(self, text: str) -> str:
        """A message of the rules, with what it quotes of the players marked."""
        if self._lines and "\n" in text:
            text = "\n".join(self._barred(text.split("\n")))
        if self._marks:
            for place in reversed(places(text, self._speakers)):
                if _mark(text, place) in self._marks:
                    text = text[: place + 1] + BREAK + text[place + 1 :]
        return text

    def _barred(self, lines: Sequence[str]) -> Iterator[str]:
        yield lines[0]
        for before, line in pairwise(lines):
            key = before[-1:] + _head(line)
            said = line.strip() and any(known.startswith(key) for known in self._lines)
            yield BAR + line if said else line


def _mark(text: str, place: int) -> str:
    return text[place : place + _MARK].casefold()


def _head(line: str) -> str:
    return line[:_LINE].casefold()
