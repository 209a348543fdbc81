"""Tells a game from what its players were shown: announcements of the rules, and who did what.

A player is shown the other players' texts between the announcements, as `[Player 2] ...` and
`[GAME] ...`, and a text may itself hold lines that look so. Nothing is taken for an announcement
that a player could have written: the recorded actions are found and taken out first, and what
cannot be told apart is only reported once, as shown to a player.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from arena.core.inert import BAR, BREAK

_NAME = r"\[([A-Za-z][^\[\]\n]{2,59})\]"  # a speaker's; `[3]` is a vote, `[x]` a square
_LABEL = re.compile(rf"\n?{_NAME} ?")
_NEXT = re.compile(rf"\n{_NAME}")
_BRACKETED = re.compile(r"\[[^\[\]\n]{0,60}\]")
_BAR = re.compile(rf"^{re.escape(BAR)}", re.MULTILINE)
_GAME = "GAME"


class ShownTurn(Protocol):
    """What a story is told from: the player of a turn, what was `new` to it, what it did and what
    the rules were given for it."""

    @property
    def player(self) -> int: ...
    @property
    def new(self) -> str: ...
    @property
    def action(self) -> str | None: ...
    @property
    def submitted(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Announcement:
    """The rules say something, before a turn, to the players in `audience`; `opening` when it is
    the first thing that a player ever hears."""

    text: str
    audience: frozenset[int]
    opening: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A player is shown something of unknown origin."""

    player: int
    text: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A player acts; `turn` is its place in the list of turns."""

    turn: int


StoryItem = Announcement | Shown | Moved


@dataclass(slots=True)
class _Heard:
    """An announcement on its way: who has heard it so far."""

    text: str
    opening: bool
    audience: set[int] = field(default_factory=set)

    def done(self) -> Announcement:
        return Announcement(self.text, frozenset(self.audience), self.opening)


def tell_story(turns: Sequence[ShownTurn]) -> list[StoryItem]:
    """The events of a game in order; an announcement comes once, when the first player hears it."""
    told: list[_Heard | Shown | Moved] = []
    known: dict[tuple[str, int], _Heard] = {}
    shown: set[str] = set()
    heard: defaultdict[int, Counter[str]] = defaultdict(Counter)
    last_turn: dict[int, int] = {}
    for place, turn in enumerate(turns):
        since = turns[last_turn.get(turn.player, 0) : place]
        for announced, text in split(turn.new, since):
            if not text.strip():
                continue
            if not announced:
                if text not in shown:
                    told.append(Shown(turn.player, text))
                shown.add(text)
                continue
            heard_before = heard[turn.player].total()
            heard[turn.player][text] += 1
            key = (text, heard[turn.player][text])
            if key not in known:
                known[key] = _Heard(text, opening=not heard_before)
                told.append(known[key])
            known[key].audience.add(turn.player)
        told.append(Moved(place))
        last_turn[turn.player] = place
    return [event.done() if isinstance(event, _Heard) else event for event in told]


def split(new: str, since: Sequence[ShownTurn]) -> Iterator[tuple[bool, str]]:
    """What a player was shown, in pieces: (whether the rules said it for sure, text).

    `since` are the turns that may be echoed in it, which are left out.
    """
    said = _Said(since)
    position = 0
    while position < len(new):
        label = _LABEL.match(new, position)
        if label is None:
            end = _end(new, position + 1, said)
            yield False, new[position:end].strip("\n")
        elif label[1] == _GAME and not said.may_hold(new, label.start()):
            end = _end(new, label.end())
            yield True, new[label.end() : end].strip("\n")
        elif ends := said.echoes(new, label.end()):
            # Where a player said less once and more another time, the rest may be the rules'.
            end = ends[-1]
            yield False, new[ends[0] : end].strip("\n")
        else:
            end = _end(new, label.end(), said)
            yield False, new[position:end].strip("\n")
        position = end


class _Said:
    """What the players have said in some turns: what the rules were given, and may pass on."""

    def __init__(self, turns: Sequence[ShownTurn]) -> None:
        words = [_words(turn) for turn in turns]
        self._plain = {plain(text) for text in words}
        self._longest = max(map(len, self._plain), default=0)
        # Lines that begin with a whole label, without what the rules may close a quotation by; and
        # those that the rules may go on behind, by what stands before them. What stands behind a
        # bare label is the rules'.
        self._lines: set[str] = set()
        self._after: defaultdict[str, set[str]] = defaultdict(set)
        for text in words:
            before: str | None = None
            for line in map(str.strip, text.split("\n")):
                label = _LABEL.match(line)
                if label is not None:
                    self._lines.add(_unquoted(line))
                    if before is not None and label.end() < len(line):
                        self._after[before].add(line)
                before = line[-1:] or before or ""

    def may_hold(self, new: str, position: int) -> bool:
        """Whether a player may have written the labelled line that begins here: all of it, or its
        beginning right after the end of another line of the same player."""
        start = position + new.startswith("\n", position)
        end = new.find("\n", start)
        line = new[start : end if end >= 0 else len(new)].strip()
        if _unquoted(line) in self._lines:
            return True
        before = new[max(position - 80, 0) : position].rstrip()[-1:]
        return any(
            line.startswith(known) for key in (before, "") for known in self._after.get(key, ())
        )

    def echoes(self, new: str, start: int) -> list[int]:
        """Where the text that begins here may end, if it is what somebody did but for its brackets
        and breaks; in order, empty if it is not."""
        ends = []
        for end in (*(label.start() for label in _NEXT.finditer(new, start)), len(new)):
            bare = plain(new[start:end])
            if bare in self._plain:
                ends.append(end)
            if len(bare) > self._longest or not self.may_hold(new, end):
                break
        return ends


def _words(turn: ShownTurn) -> str:
    return turn.submitted if turn.submitted is not None else (turn.action or "")


def repeats(text: str, turn: ShownTurn) -> bool:
    """Whether a piece of what a player was shown is what was done in that turn."""
    return plain(text) == plain(_words(turn))


def plain(text: str) -> str:
    """The text without brackets, breaks, bars and white space: rules and adapters change these
    when they pass it on."""
    text = _BAR.sub("", text.replace(BREAK, ""))
    return "".join(_BRACKETED.sub("", text).split())


def _unquoted(line: str) -> str:
    """The line without the marks at its end, of eight kinds at most."""
    return line.rstrip("".join(char for char in line[-8:] if not char.isalnum()))


def _end(new: str, start: int, said: _Said | None = None) -> int:
    """Where the piece that begins before `start` ends: at the next label, or, with what was
    `said`, at the next one that no player may have written."""
    for label in _NEXT.finditer(new, start):
        if said is None or not said.may_hold(new, label.start()):
            return label.start()
    return len(new)
