"""Whether words were said: a pattern of plain words, with `*` for any words in between.

It is no regular expression: reading a speech takes time proportional to its length, whoever wrote
the pattern.
"""

from __future__ import annotations


def said(pattern: str, text: str) -> bool:
    """Whether the parts of a pattern stand in one line of a text, in order, in letters of any case;
    any number of blanks is one."""
    parts = [part for part in (_plain(part) for part in pattern.split("*")) if part]
    return bool(parts) and any(_in_order(parts, _plain(line)) for line in text.splitlines())


def _in_order(parts: list[str], line: str) -> bool:
    at = 0
    for part in parts:
        found = line.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
