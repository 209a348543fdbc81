"""Board games: moves in the words of the rules, what they take, and how the board changes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from arena.environments.events.facts import FamilyFacts

_BRACKETED = re.compile(r"\[([^\[\]\n]{1,60})\]")
_EMPTY = frozenset({"", " ", ".", "~", "-", "_", "None", "null"})
_MOST = 60  # fields in one event


class MovesFacts(FamilyFacts):
    """Any game of moves: the last brackets of an action that the rules took."""

    def after(self, player: int, action: str, refused: bool) -> None:
        if not refused:
            moves = _BRACKETED.findall(action)
            if moves:
                self.tell("move", player, move=moves[-1].strip())


class PiecesFacts(MovesFacts):
    """A game whose state has a `board` of fields. What stood on the board and stands there no more
    was captured, or turned over; `takes` says whether the game knows that."""

    takes = True

    covered = ("board", "rendered_board", "board_state")

    def begin(self) -> None:
        self._fields = self._board()

    def after(self, player: int, action: str, refused: bool) -> None:
        super().after(player, action, refused)
        before, now = self._fields, self._board()
        self._fields = now
        changed = {
            field: [before.get(field), piece]
            for field, piece in now.items()
            if before.get(field) != piece
        }
        if not changed:
            return
        gone = Counter(was for was, _ in changed.values() if _stands(was))
        gone.subtract(piece for _, piece in changed.values() if _stands(piece))
        for piece, count in sorted(gone.items()):
            if count > 0 and self.takes:
                self.tell("capture", player, piece=piece, count=count)
        self.tell("board", fields=dict(list(changed.items())[:_MOST]))

    def _board(self) -> dict[str, str]:
        return dict(_fields("", self.game.get("board"), 0))


class FieldsFacts(PiecesFacts):
    """A board whose fields change without a piece being taken."""

    takes = False


def _stands(piece: str | None) -> bool:
    return piece is not None and piece not in _EMPTY


def _fields(path: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    """(place, what stands there) of a board of lists."""
    if isinstance(value, dict) and depth < 2 and all(isinstance(key, int) for key in value):
        pairs: Any = value.items()
    elif isinstance(value, list) and depth < 4 and value and isinstance(value[0], list):
        pairs = enumerate(value)
    elif isinstance(value, list) and depth < 4 and depth:
        for index, piece in enumerate(value):
            yield f"{path}.{index}".lstrip("."), _piece(piece)
        return
    else:
        return
    for index, each in pairs:
        yield from _fields(f"{path}.{index}", each, depth + 1)


def _piece(piece: Any) -> str:
    if isinstance(piece, dict):
        return " ".join(str(each) for each in piece.values())[:40]
    if isinstance(piece, list | tuple):
        return " ".join(map(_piece, piece))[:40]
    return str(piece)[:40]
