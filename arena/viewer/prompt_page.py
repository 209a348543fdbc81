"""Prompts as a tree of forks, and one of them beside its parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from arena.leaderboard.board import BoardRow, ForkChange
from arena.leaderboard.profiles import BoardPlace
from arena.reports.word_diff import DiffPiece, changed_words
from arena.viewer.agent_page import DrawnEstimate, rating_span
from arena.viewer.charts import Axis, axis
from db.queries.prompts import PromptFork

WIDTH = 180
_KEPT = 160
"""Characters of an unchanged stretch that stay open at each end."""
_DEEPEST = 12
"""Forks that are indented: beyond, a name would have no room."""


@dataclass(frozen=True, slots=True)
class DrawnFork:
    """A prompt of the tree with the spans of its rating and of its change, None where unknown."""

    fork: PromptFork
    indent: int
    row: BoardRow | None
    rating: DrawnEstimate | None
    change: DrawnEstimate | None


@dataclass(frozen=True, slots=True)
class DrawnTree:
    """The prompts of an environment, with the axes of ratings and changes."""

    title: str | None
    forks: tuple[DrawnFork, ...]
    ratings: Axis
    changes: Axis


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """A piece of a difference: an unchanged one is folded in the middle, `hidden` there."""

    kind: str
    text: str
    hidden: str = ""
    after: str = ""


def drawn_trees(tree: Sequence[PromptFork], places: Sequence[BoardPlace]) -> list[DrawnTree]:
    """The tree for each environment with ratings, or once without any."""
    boards: dict[str | None, dict[str, BoardRow]] = {}
    for place in places:
        parts = (place.environment, f"{place.num_players} players" if place.num_players else None)
        title = ", ".join(part for part in parts if part) or None
        boards.setdefault(title, {})[place.row.name] = place.row
    return [_tree(title, tree, rows) for title, rows in (boards or {None: {}}).items()]


def _tree(title: str | None, tree: Sequence[PromptFork], rows: Mapping[str, BoardRow]) -> DrawnTree:
    here = [rows.get(fork.name) for fork in tree]
    ratings = axis([x for row in here if row for x in (row.low, row.high)], 4, WIDTH - 4, 4)
    changes = change_axis([row.change for row in here if row and row.change])
    return DrawnTree(
        title,
        tuple(
            DrawnFork(
                fork,
                min(fork.depth, _DEEPEST),
                row,
                None if row is None else rating_span(row, ratings),
                None if row is None or row.change is None else changed(row.change, changes),
            )
            for fork, row in zip(tree, here, strict=True)
        ),
        ratings,
        changes,
    )


def change_axis(changes: Sequence[ForkChange]) -> Axis:
    """An axis with 0 in its middle."""
    reach = max((abs(x) for each in changes for x in (each.low, each.high)), default=1.0)
    return axis([-reach, reach], 4, WIDTH - 4, 4)


def changed(change: ForkChange, scale: Axis) -> DrawnEstimate:
    """A difference to the parent on its axis."""
    says = f"{change.mean:+.1f}, 95 % interval {change.low:+.1f} to {change.high:+.1f}"
    return DrawnEstimate(scale.at(change.low), scale.at(change.mean), scale.at(change.high), says)


def verdict(name: str, parent: str, change: ForkChange | None, *, rated: bool) -> str:
    """What a fork did to the rating, as a sentence."""
    if change is None:
        if not rated:
            return f"{name}: nobody has played with it in a rated game"
        return f"{name} and {parent} cannot be compared"
    if change.low > 0:
        return f"{name} is better than {parent}"
    if change.high < 0:
        return f"{name} is worse than {parent}"
    return f"{name} is not clearly better or worse than {parent}"


def shown_pieces(pieces: Sequence[DiffPiece]) -> list[ShownPiece]:
    """The pieces of a difference, long unchanged ones folded."""
    found = []
    for place, piece in enumerate(pieces):
        first, last = place == 0, place == len(pieces) - 1
        start, end = 0 if first else _KEPT, 0 if last else _KEPT
        if piece.kind != "same" or len(piece.text) <= start + end + _KEPT // 2:
            found.append(ShownPiece(piece.kind, piece.text))
            continue
        cut = len(piece.text) - end
        found.append(
            ShownPiece("same", piece.text[:start], piece.text[start:cut], piece.text[cut:])
        )
    return found


def said_change(pieces: Sequence[DiffPiece]) -> str:
    """`12 words added, 3 removed`."""
    added, removed = changed_words(pieces)
    if not added and not removed:
        return "the same words"
    parts = [f"{added:,} word{'' if added == 1 else 's'} added"] if added else []
    parts += [f"{removed:,} removed" if added else f"{removed:,} words removed"] if removed else []
    return ", ".join(parts)
