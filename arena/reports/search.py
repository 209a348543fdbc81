"""What a search finds, in the words around it: plain data for the command line and pages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arena.llm.thoughts import read, recorded_thoughts
from db.search.hits import SearchHit
from db.search.words import words

_PHRASE = re.compile(r'"([^"]*)"?|([^\s"]+)')

CONTEXT = 120  # characters before the first match, and after the last that is shown


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a text around what was found: `matches` as (start, end) in it; whether there is
    more before and after."""

    text: str
    matches: tuple[tuple[int, int], ...]
    cut_before: bool
    cut_after: bool


def phrases(line: str) -> tuple[str, ...]:
    """The phrases of a line as people type it into a box: what stands in double quotes is one, a
    word outside is another; what has neither letter nor digit is none."""
    found = (quoted or word for quoted, word in _PHRASE.findall(line))
    return tuple(phrase for phrase in found if words(phrase))


def spoken(text: str, response: Any) -> tuple[str, str]:
    """(what a model said, what it thought) of an answer as it is recorded."""
    return read(text).text if text else "", recorded_thoughts(text, response) or ""


def excerpt(hit: SearchHit, context: int = CONTEXT) -> Excerpt:
    """The words around the first match and those that stand near it."""
    return around(hit.text, hit.matches, context)


def marked(piece: Excerpt) -> list[tuple[str, bool]]:
    """An excerpt in pieces, each with whether it is what was found."""
    pieces, at = [], 0
    for start, end in piece.matches:
        pieces += [(piece.text[at:start], False), (piece.text[start:end], True)]
        at = end
    return [each for each in [*pieces, (piece.text[at:], False)] if each[0]]


def around(text: str, matches: Sequence[tuple[int, int]], context: int = CONTEXT) -> Excerpt:
    """The characters of a text from `context` before its first match to as many after it, moved to
    the next blank; without a match the beginning."""
    first, end = matches[0] if matches else (0, 0)
    start = max(first - context, 0)
    stop = min(end + context, len(text))
    if start:
        blank = text.find(" ", start, first)
        start = blank + 1 if blank >= 0 else start
    if stop < len(text):
        blank = text.rfind(" ", end, stop)
        stop = blank if blank > end else stop
    inside = tuple((a - start, min(b, stop) - start) for a, b in matches if a < stop and b > start)
    return Excerpt(text[start:stop], inside, start > 0, stop < len(text))
