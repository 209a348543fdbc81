"""What one text has that another has not, word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+\Z")
_ENDS = (".", ",", ";", ":", "!", "?")
_Kind = Literal["same", "removed", "added"]
_MOST = 3_000
"""Words in which a difference is looked for, in one text: comparing takes their square."""


@dataclass(frozen=True, slots=True)
class DiffPiece:
    """A stretch of text that is in both, or only in one of them."""

    kind: _Kind
    text: str


def word_diff(before: str, after: str) -> list[DiffPiece]:
    """The pieces that make `after` of `before`, in order: without the added ones they are `before`,
    without the removed ones `after`. Long texts that differ in most are compared by lines."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    start = _alike(zip(old, new, strict=False))
    end = _alike(zip(reversed(old[start:]), reversed(new[start:]), strict=False))
    # From a line's end on: what is alike in the line itself may be what was said before.
    while end and "\n" not in old[len(old) - end]:
        end -= 1
    head, tail = old[:start], old[len(old) - end :]
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(old), len(new)) > _MOST:
        old, new = _LINES.findall("".join(old)), _LINES.findall("".join(new))
        if max(len(old), len(new)) > _MOST:
            old, new = ["".join(old)], ["".join(new)]
    return [*_joined([("same", head), *_compared(old, new), ("same", tail)])]


def changed_words(pieces: Iterable[DiffPiece]) -> tuple[int, int]:
    """(words added, words removed)."""
    counts = {"same": 0, "added": 0, "removed": 0}
    for piece in pieces:
        counts[piece.kind] += len(piece.text.split())
    return counts["added"], counts["removed"]


_Part = tuple[_Kind, Sequence[str]]


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[_Part]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            same = old[a:b]
            # A blank between two changes belongs to them: else each word is one of its own.
            if "".join(same).isspace() and len(same) == 1:
                yield "removed", same
                yield "added", same
            else:
                yield "same", same
        else:
            yield "removed", old[a:b]
            yield "added", new[c:d]


def _joined(parts: Iterable[_Part]) -> Iterator[DiffPiece]:
    removed: list[str] = []
    added: list[str] = []
    for kind, words in parts:
        if kind == "removed":
            removed += words
        elif kind == "added":
            added += words
        elif words:
            yield from _change(removed, added, words)
            removed, added = [], []
    yield from _change(removed, added, ())


def _change(
    removed: Sequence[str], added: Sequence[str], same: Sequence[str]
) -> Iterator[DiffPiece]:
    """A change and what stays the same behind it. Where only one of the two texts has the sign that
    ends a sentence at its beginning, it is the end of the sentence before: `. Say little` before a
    full stop is ` Say little.` behind one."""
    turns: tuple[tuple[_Kind, Sequence[str], _Kind, Sequence[str]], ...] = (
        ("removed", removed, "added", added),
        ("added", added, "removed", removed),
    )
    for one, mine, other, others in turns:
        moved = mine and same and mine[0] == same[0] in _ENDS and others[:1] != same[:1]
        if moved:
            yield from _pieces(other, others)
            yield from _pieces("same", same[:1])
            yield from _pieces(one, [*mine[1:], same[0]])
            yield from _pieces("same", same[1:])
            return
    yield from _pieces("removed", removed)
    yield from _pieces("added", added)
    yield from _pieces("same", same)


def _pieces(kind: _Kind, words: Sequence[str]) -> Iterator[DiffPiece]:
    if words:
        yield DiffPiece(kind, "".join(words))


def _alike(pairs: Iterable[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count
