"""The words of a text as the search index knows them, the same on both databases.

A word is a run of letters and digits, without case and without accents. A character of a script
that writes no spaces (Chinese, Japanese, Thai, ...) and a pictograph are words of their own, so
that a phrase of them is found inside a longer run. `parts` are the overlapping threes of letters,
which find a piece of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Characters of a word, in the index and in what is asked: PostgreSQL keeps none of thousands.
LONGEST_WORD = 64
PART = 3  # characters

# Between texts that are indexed together: no phrase reaches over it, and nobody can ask for it.
GAP = "0gap0"

_ASCII = "".join(chr(code) if chr(code).isalnum() else " " for code in range(128))
# Scripts without spaces: Thai, Lao, Tibetan, Burmese, Khmer, kana, Han; and pictographs.
_ALONE = (
    "\u0e00-\u0eff\u0f00-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
_SIGNS = "\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
# `\w` leaves out the marks that Indic and Arabic scripts write vowels with.
_MARKS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0900-\u0963"
    "\u0966-\u0dff"
)
_RUN = re.compile(rf"(?:[^\W_]|[{_MARKS}{_SIGNS}])+")
_WORD = re.compile(rf"[{_ALONE}{_SIGNS}]|(?:(?![{_ALONE}])(?:[^\W_]|[{_MARKS}]))+")
_ACCENT = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class WordPlace:
    """A word, and where it stands in its text: characters `start` to before `end`."""

    word: str
    start: int
    end: int


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    if text.isascii():
        return [word[:LONGEST_WORD] for word in text.lower().translate(_ASCII).split()]
    return [word for run in _RUN.findall(text) for word in _folded(run)]


def parts(text: str) -> list[str]:
    """The overlapping threes of a text's letters; what is between two words counts as one."""
    joined = "_".join("".join(_folded(run)) for run in _RUN.findall(text))
    return [joined[at : at + PART] for at in range(len(joined) - PART + 1)]


def places(text: str) -> list[WordPlace]:
    """The words of a text with the places that they have in it."""
    found = []
    for run in _RUN.finditer(text):
        # A word of a run stands where its letters do as long as none of them was folded to several.
        at = run.start()
        pieces = list(_WORD.finditer(run[0]))
        folded = [_folded(piece[0]) for piece in pieces]
        if [word for each in folded for word in each] == _folded(run[0]):
            for piece, each in zip(pieces, folded, strict=True):
                found += [WordPlace(word, at + piece.start(), at + piece.end()) for word in each]
        else:
            found += [WordPlace(word, at, run.end()) for word in _folded(run[0])]
    return found


def _folded(run: str) -> list[str]:
    if run.isascii():
        return [run.lower()[:LONGEST_WORD]]
    plain = _ACCENT.sub("", unicodedata.normalize("NFKD", run.casefold()))
    whole = unicodedata.normalize("NFC", plain.casefold())
    return [_spelled(word)[:LONGEST_WORD] for word in _WORD.findall(whole)]


def _spelled(word: str) -> str:
    """A word in letters alone: a pictograph by its number."""
    if len(word) == 1 and not word.isalnum() and unicodedata.category(word)[0] == "S":
        return f"u{ord(word):x}"
    return word


def spans(text: str, phrases: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Where the phrases stand in a text: (start, end) of each, in order, none over another."""
    known = places(text)
    found: list[tuple[int, int]] = []
    for phrase in phrases:
        size = len(phrase)
        for at in range(len(known) - size + 1):
            if all(known[at + step].word == phrase[step] for step in range(size)):
                found.append((known[at].start, known[at + size - 1].end))
    return _apart(found)


def part_spans(text: str, phrases: Sequence[str]) -> list[tuple[int, int]]:
    """Where pieces of words stand in a text; `phrases` as they were asked."""
    runs = [(run.start(), run.end(), "".join(_folded(run[0]))) for run in _RUN.finditer(text)]
    joined = "_".join(folded for _, _, folded in runs)
    begins = []
    at = 0
    for _, _, folded in runs:
        begins.append(at)
        at += len(folded) + 1
    found = []
    for phrase in phrases:
        wanted = "_".join("".join(_folded(run)) for run in _RUN.findall(phrase))
        at = joined.find(wanted) if wanted else -1
        while at >= 0:
            inside = [
                (start, end)
                for (start, end, folded), begin in zip(runs, begins, strict=True)
                if begin < at + len(wanted) and begin + len(folded) > at
            ]
            if inside:
                found.append((inside[0][0], inside[-1][1]))
            at = joined.find(wanted, at + 1)
    return _apart(found)


def _apart(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted({*found}):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
