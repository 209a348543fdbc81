"""Prompts that say the same: copies of one that differ in nothing that should matter.

What such copies score apart is what no change makes, and the measure for what a change does. The
changes are a word for a word, the order of sections, and white space. They are the same for the
same text, for ever: by them a null variant is known again, however it came about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

MOST = 8
"""Null variants of one prompt: more would cost games and hardly make the floor better known."""

_WORDS = (
    ("do not", "don't"),
    ("does not", "doesn't"),
    ("cannot", "can't"),
    ("will not", "won't"),
    ("is not", "isn't"),
    ("are not", "aren't"),
    ("you must", "you have to"),
    ("everything you", "all that you"),
    ("nothing else", "nothing more"),
    ("at most", "no more than"),
    ("for example", "for instance"),
    ("begins", "starts"),
    ("begin", "start"),
)
_SECTIONS = re.compile(r"\n[ \t]*\n\s*")
_SENTENCE = re.compile(r"(?<=[.!?]) +(?=\S)")


def null_variants(text: str, number: int) -> list[str]:
    """At most `number` texts that say what `text` says, all different; fewer where it is too short
    to be put otherwise."""
    found: list[str] = []
    for variant in _variants(text):
        if len(found) == number:
            break
        if variant != text and variant not in found:
            found.append(variant)
    return found


def meaning(text: str) -> tuple[str, ...]:
    """What all null variants of a text have in common, and no other text has."""
    sections = (" ".join(section.split()) for section in _SECTIONS.split(text))
    return tuple(sorted(_reworded(section, canonical=True) for section in sections if section))


def _variants(text: str) -> Iterator[str]:
    """One change, then several at once."""
    changes: list[Callable[[str], str]] = [_reworded, _reordered, _spaced, _parted]
    for several in range(1, len(changes) + 1):
        for chosen in combinations(changes, several):
            changed = text
            for change in chosen:
                changed = change(changed)
            yield changed
    for lines in range(1, MOST + 1):
        yield text + "\n" * lines


def _reworded(text: str, *, canonical: bool = False) -> str:
    """Words for words: the second of a pair for the first, or else the first for the second; with
    `canonical` the first always."""
    for first, second in _WORDS:
        if canonical:
            text = _replaced(text, second, first)
        elif (changed := _replaced(text, first, second)) != text:
            text = changed
        else:
            text = _replaced(text, second, first)
    return text


def _replaced(text: str, words: str, others: str) -> str:
    def put(found: re.Match[str]) -> str:
        return others[0].upper() + others[1:] if found[0][0].isupper() else others

    # A line may break between two words; what stands in place of them is on one.
    pattern = r"\s+".join(map(re.escape, words.split()))
    return re.sub(rf"(?<![\w'{{]){pattern}(?![\w'])", put, text, flags=re.IGNORECASE)


def _reordered(text: str) -> str:
    """The first section last."""
    sections = _SECTIONS.split(text.strip("\n"))
    return "\n\n".join([*sections[1:], sections[0]])


def _spaced(text: str) -> str:
    """Two spaces between sentences, as typists have them."""
    return _SENTENCE.sub("  ", text)


def _parted(text: str) -> str:
    """Two empty lines between sections."""
    return _SECTIONS.sub("\n\n\n", text)
