"""Prompts as a tree of forks, and one of them beside its parent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from arena.leaderboard.board import BoardRow, ForkChange
from arena.leaderboard.part_profiles import PromptProfile
from arena.leaderboard.places import BoardPlace
from arena.reports.word_diff import DiffPiece, changed_words, word_diff
from arena.viewer.agent_page import DrawnEstimate, pool, rating_span
from arena.viewer.charts import Axis, axis
from arena.viewer.texts import signed
from db.queries.prompts import PromptFork

WIDTH = 180
_KEPT = 160
"""Characters of an unchanged stretch that stay open at each end."""
_EDITS = 4
"""Changes of a fork that the tree shows."""
_DEEPEST = 12
"""Forks that are indented: beyond, a name would have no room."""


@dataclass(frozen=True, slots=True)
class DrawnFork:
    """A prompt of the tree with the estimates of its rating and of its change, None where unknown.
    `levels` says for each fork above it whether a line goes on to a later fork there, its own
    last; `edits` are the first things that differ from its parent."""

    fork: PromptFork
    levels: tuple[bool, ...]
    row: BoardRow | None
    rating: DrawnEstimate | None
    change: DrawnEstimate | None
    edits: tuple[DiffPiece, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class DrawnTree:
    """The prompts of a board, with the axes of ratings and changes."""

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


def drawn_trees(
    tree: Sequence[PromptFork], places: Sequence[BoardPlace], texts: Mapping[int, str]
) -> list[DrawnTree]:
    """The tree for each board, or once without any; of the forks with `texts` it says what they
    changed."""
    boards: dict[int, list[BoardPlace]] = {}
    for place in places:
        boards.setdefault(place.board, []).append(place)
    edits = {
        fork.prompt_id: _edits(word_diff(texts[fork.parent_id], texts[fork.prompt_id]))
        for fork in tree
        if fork.parent_id is not None and fork.parent_id in texts and fork.prompt_id in texts
    }
    if not boards:
        return [_tree(None, tree, {}, edits)]
    # One alone is the average, and says nothing.
    several = [of for of in boards.values() if len(of) > 1] or [*boards.values()][:1]
    found = []
    shown: set[str] = set()
    for of in several:
        rows = {place.row.name: place.row for place in of}
        line = _with_lines(tree, rows)
        shown |= {fork.name for fork in line}
        found.append(_tree(pool(of[0]), line, rows, edits))
    left = {fork.name for fork in tree} - shown
    if left:
        found.append(_tree(None, _with_lines(tree, left), {}, edits))
    return found


def _with_lines(tree: Sequence[PromptFork], wanted: Collection[str]) -> list[PromptFork]:
    """The prompts that are wanted, and those they came from, in the order of the tree."""
    kept: set[str] = set()
    for fork in reversed(tree):
        if fork.name in wanted or fork.name in kept:
            kept.add(fork.name)
            if fork.parent is not None:
                kept.add(fork.parent)
    return [fork for fork in tree if fork.name in kept]


def conclusion(tree: Sequence[PromptFork], places: Sequence[BoardPlace]) -> str:
    """What forking has brought, as a sentence."""
    names = {fork.name: fork.parent for fork in tree if fork.parent is not None}
    known = [place.row for place in places if place.row.change is not None]
    better = [row for row in known if row.change is not None and row.change.low > 0]
    worse = [row for row in known if row.change is not None and row.change.high < 0]
    if not tree:
        return "No prompt yet"
    if not names:
        return f"{len(tree):,} prompt{'' if len(tree) == 1 else 's'}, none forked from another"
    if better:
        best = max(better, key=lambda row: row.change.mean if row.change else 0.0)
        return f"{best.name} is better than {names.get(best.name)}, which it was forked from"
    if worse:
        last = min(worse, key=lambda row: row.change.mean if row.change else 0.0)
        return f"{last.name} is worse than {names.get(last.name)}, which it was forked from"
    if known:
        return "No fork is clearly better or worse than the prompt it came from"
    return f"{len(tree):,} prompts, and no fork that can be compared yet"


def _tree(
    title: str | None,
    tree: Sequence[PromptFork],
    rows: Mapping[str, BoardRow],
    edits: Mapping[int, Sequence[DiffPiece]],
) -> DrawnTree:
    here = [rows.get(fork.name) for fork in tree]
    ratings = axis([x for row in here if row for x in (row.low, row.high)], 4, WIDTH - 4, 4)
    changes = change_axis([row.change for row in here if row and row.change])
    return DrawnTree(
        title,
        tuple(
            DrawnFork(
                fork,
                levels,
                row,
                None if row is None else rating_span(row, ratings),
                None if row is None or row.change is None else changed(row.change, changes),
                tuple(edits.get(fork.prompt_id, ())[:_EDITS]),
                max(len(edits.get(fork.prompt_id, ())) - _EDITS, 0),
            )
            for fork, row, levels in zip(tree, here, _levels(tree), strict=True)
        ),
        ratings,
        changes,
    )


def _levels(tree: Sequence[PromptFork]) -> list[tuple[bool, ...]]:
    """For each prompt of a tree in order, whether later forks come at each depth above it."""
    found: list[tuple[bool, ...]] = []
    later: list[bool] = []
    for fork in reversed(tree):
        depth = fork.depth
        later = [*later[:depth], *[False] * (depth - len(later))]
        found.append(tuple(later[:depth])[-_DEEPEST:])
        if depth:
            later[depth - 1] = True
    return found[::-1]


def _edits(pieces: Sequence[DiffPiece]) -> list[DiffPiece]:
    return [piece for piece in pieces if piece.kind != "same" and piece.text.strip()]


def change_axis(changes: Sequence[ForkChange]) -> Axis:
    """An axis with 0 in its middle."""
    reach = max((abs(x) for each in changes for x in (each.low, each.high)), default=1.0)
    return axis([-reach, reach], 4, WIDTH - 4, 4)


def changed(change: ForkChange, scale: Axis) -> DrawnEstimate:
    """A difference to the parent on its axis."""
    low, high = signed(change.low), signed(change.high)
    says = f"{signed(change.mean)}, 95 % interval {low} to {high}"
    return DrawnEstimate(scale.at(change.low), scale.at(change.mean), scale.at(change.high), says)


def verdict(profile: PromptProfile, row: BoardRow | None) -> str:
    """What a fork did to the rating, as a sentence; of a prompt without a parent its name."""
    name, parent = profile.own.name, profile.own.parent
    if parent is None:
        return name
    change = None if row is None else row.change
    if change is None:
        if row is None:
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
