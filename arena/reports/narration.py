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

_NAME = r"\[([A-Za-z][^\[\]\n]{2,59})\]"  # a speaker's; `[3]` is a vote, `[x]` a square
_LABEL = re.compile(rf"\n?{_NAME} ?")
_NEXT = re.compile(rf"\n{_NAME}")
_BRACKETED = re.compile(r"\[[^\[\]\n]{0,60}\]")
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


Event = Announcement | Shown | Moved


@dataclass(slots=True)
class _Heard:
    """An announcement on its way: who has heard it so far."""

    text: str
    opening: bool
    audience: set[int] = field(default_factory=set)

    def done(self) -> Announcement:
        return Announcement(self.text, frozenset(self.audience), self.opening)


def tell_story(turns: Sequence[ShownTurn]) -> list[Event]:
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
    echoes = list(since)
    suspect = _suspect(echoes)
    position = 0
    while position < len(new):
        label = _LABEL.match(new, position)
        if label is None:
            end = _end(new, position + 1, suspect)
            yield False, new[position:end].strip("\n")
            position = end
            continue
        start = label.end()
        sure = label[1] == _GAME and not _forged(new, label.start(), suspect)
        end = _end(new, start, () if sure else suspect)
        if sure or not _echoed(new[start:end], echoes):
            yield sure, new[start if sure else position : end].strip("\n")
        position = end


def _words(turn: ShownTurn) -> str:
    return turn.submitted if turn.submitted is not None else (turn.action or "")


def plain(text: str) -> str:
    """The text without brackets and white space: rules rewrite these when they pass it on."""
    return "".join(_BRACKETED.sub("", text).split())


def _echoed(text: str, echoes: Sequence[ShownTurn]) -> bool:
    """Whether this is what a player did, but for its brackets."""
    bare = plain(text)
    return any(bare == plain(_words(turn)) for turn in echoes)


def _suspect(echoes: Sequence[ShownTurn]) -> Sequence[str]:
    """Lines of the players' texts that look like the beginning of something else."""
    return tuple(
        {
            line.strip()
            for turn in echoes
            for words in (_words(turn), turn.action or "")
            for line in words.split("\n")
            if line.lstrip().startswith("[")
        }
    )


def _end(new: str, start: int, suspect: Sequence[str]) -> int:
    """Where the piece that begins before `start` ends: at the next label that is not forged."""
    for label in _NEXT.finditer(new, start):
        if not _forged(new, label.start(), suspect):
            return label.start()
    return len(new)


def _forged(new: str, position: int, suspect: Sequence[str]) -> bool:
    """Whether a player may have written the line that begins here. The rules may have put
    something behind it (a quotation mark); behind a bare label everything is theirs."""
    start = position + new.startswith("\n", position)
    end = new.find("\n", start)
    line = new[start : end if end >= 0 else len(new)].strip()
    return any(
        line == other or (line.startswith(other) and not _BRACKETED.fullmatch(other))
        for other in suspect
    )
