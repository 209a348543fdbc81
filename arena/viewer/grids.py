"""The boards of a game: the text grids that its rules drew, each with what changed since the one
before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from arena.reports.narration import repeats, split
from arena.viewer.seen import SeenGame, SeenTurn

MOST = 400
"""Boards that a page holds at most, the last ones."""

_STROKES = re.compile(r"[|│┼├┤─═║╬]|\+(?!\d)|--")
"""A signed number, `+6`, is none."""
_NO_CELL = re.compile(r"[,;:'\"()]|[.!?]$")
_SPACED = re.compile(r"\S\s{3,}\S")
_CELL = 3  # characters of a piece or of a column's name
_LEAST = 3  # lines of a board
_GAP = 3  # lines within a board that look like none
_LARGEST = 6_000  # characters
_HEADING = 30  # characters


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a line, and whether it differs from the board before."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A board as it stood ahead of the turn at `place`; `viewer` is who was shown it, where players
    are shown different ones; `rows` are its lines."""

    place: int
    viewer: int | None
    rows: tuple[tuple[Stretch, ...], ...]

    @property
    def text(self) -> str:
        """The whole board."""
        return "\n".join("".join(part.text for part in row) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Boards:
    """The boards of a game in order; `left` of them are not in the page."""

    grids: tuple[Grid, ...]
    left: int = 0


@dataclass(frozen=True, slots=True)
class _Shown:
    """A turn as the narration asks for it."""

    player: int
    new: str
    action: str | None
    submitted: str | None


def boards(game: SeenGame) -> Boards | None:
    """The boards that these eyes saw, each once as long as it stood; None for a game without one.
    Only what the rules drew is taken, never what a player wrote."""
    drawn = list(_drawn(game))
    own = len({viewer for _, viewer, _ in drawn}) > 1 and _differ(drawn)
    if own:
        # Whoever acts is shown its board last.
        drawn = sorted([*_earlier(game), *drawn], key=lambda board: board[0])
    grids: list[Grid] = []
    last: dict[int | None, str] = {}
    for place, viewer, text in drawn:
        whose = viewer if own else None
        if last.get(whose) == text and (grids[-1].viewer == whose):
            continue
        grids.append(Grid(place, whose, _rows(text, last.get(whose))))
        last[whose] = text
    if not grids:
        return None
    return Boards(tuple(grids[-MOST:]), max(len(grids) - MOST, 0))


def grid_in(text: str) -> str | None:
    """The last block of lines that are drawn like a board: cells or strokes below each other."""
    lines = text.split("\n")
    found = _block(lines)
    return None if found is None else "\n".join(map(str.rstrip, lines[slice(*found)]))


def without_grid(text: str) -> str:
    """What the rules said beside a board; empty where that is no more than its heading."""
    lines = text.split("\n")
    found = _block(lines)
    if found is None:
        return text
    left = "\n".join([*lines[: found[0]], *lines[found[1] :]]).strip()
    return "" if len(left) <= _HEADING else left


def _block(lines: Sequence[str]) -> tuple[int, int] | None:
    """The first line of the last board and that behind it."""
    drawn = [place for place, line in enumerate(lines) if _is_drawn(line)]
    block: list[int] = []
    for place in reversed(drawn):
        if block and block[-1] - place > _GAP + 1:
            if len(block) >= _LEAST:
                break
            block = []
        block.append(place)
    if len(block) < _LEAST:
        return None
    first, last = block[-1], block[0]
    if first and _SPACED.search(lines[first - 1].strip()):
        first -= 1
    return (first, last + 1) if sum(map(len, lines[first : last + 1])) <= _LARGEST else None


def _is_drawn(line: str) -> bool:
    if len(_STROKES.findall(line)) > 1:
        return True
    cells = line.split()
    return len(cells) >= _LEAST and all(
        len(cell) <= _CELL and not (len(cell) > 1 and _NO_CELL.search(cell)) for cell in cells
    )


def _drawn(game: SeenGame) -> Iterator[tuple[int, int | None, str]]:
    """(place, who was shown it, board) of every turn ahead of which one was seen."""
    acted: dict[int, int] = {}
    shown = [_shown(turn) for turn in game.turns]
    for turn in game.turns:
        if turn.own is None:
            texts: Sequence[str] = turn.before
            viewer = None
        else:
            since = shown[acted.get(turn.player, 0) : turn.place]
            texts = [text for told, text in split(turn.own.new, since) if told]
            viewer = turn.player
        acted[turn.player] = turn.place
        found = next((grid for text in reversed(texts) if (grid := grid_in(text))), None)
        if found is not None:
            yield turn.place, viewer, found


def _earlier(game: SeenGame) -> Iterator[tuple[int, int | None, str]]:
    """As `_drawn`, the boards that a player was shown between two turns of its own and that another
    one had replaced by the second: each ahead of the turn that followed it."""
    acted: dict[int, int] = {}
    shown = [_shown(turn) for turn in game.turns]
    for turn in game.turns:
        place = acted.get(turn.player, 0)
        acted[turn.player] = turn.place
        if turn.own is None:
            continue
        found: list[tuple[int, str]] = []
        for told, text in split(turn.own.new, shown[place : turn.place]):
            if not told:
                echoed = (at for at in range(place, turn.place) if repeats(text, shown[at]))
                place = next(echoed, place - 1) + 1
            elif (grid := grid_in(text)) is not None:
                found.append((place, grid))
        yield from ((at, turn.player, grid) for at, grid in found[:-1])


def _shown(turn: SeenTurn) -> _Shown:
    if turn.own is not None:
        return _Shown(turn.player, turn.own.new, turn.own.action, turn.own.submitted)
    return _Shown(turn.player, "", turn.words, turn.words)


def _differ(drawn: Sequence[tuple[int, int | None, str]]) -> bool:
    """Whether players are shown boards of their own: their first lines, or most of what stands on
    the first ones, are not the same."""
    first: dict[int | None, str] = {}
    for _, viewer, text in drawn:
        first.setdefault(viewer, text)
    texts = [*first.values()]
    one = texts[0]
    return any(
        len(one) != len(other) or sum(a != b for a, b in zip(one, other, strict=True)) > 8
        for other in texts[1:]
    )


def _rows(text: str, before: str | None) -> tuple[tuple[Stretch, ...], ...]:
    """The lines of a board, with what changed where the one before has the same shape."""
    lines = text.split("\n")
    old = [] if before is None else before.split("\n")
    same = [*map(len, old)] == [*map(len, lines)]
    rows = []
    for number, line in enumerate(lines):
        parts: list[Stretch] = []
        for at, char in enumerate(line):
            changed = same and old[number][at] != char
            if parts and parts[-1].changed == changed:
                parts[-1] = Stretch(parts[-1].text + char, changed)
            else:
                parts.append(Stretch(char, changed))
        rows.append(tuple(parts))
    return tuple(rows)
