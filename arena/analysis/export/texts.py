"""Texts in files that cannot hold every character: escaped, and given back as they were.

Models write lone surrogates, which UTF-8 cannot carry, and NUL, which readers cut texts at. Such a
character becomes its JSON escape, `\\ud83d` or `\\u0000`; backslashes before what already reads as
such an escape are doubled, so that `original` gives back every text, bit for bit. All other texts
stay as they are.
"""

from __future__ import annotations

import re

_CODE = r"u(?:d[89a-f][0-9a-f]{2}|00(?:[01][0-9a-f]|7f|[89][0-9a-f]))"
_LOOK = re.compile(rf"[\x00\ud800-\udfff]|\\{_CODE}")
_ESCAPED = re.compile(rf"(\\*)([\x00\ud800-\udfff]|{_CODE})")
# In a table of lines also the control characters that end a line, or act on a terminal.
_LOOK_CELL = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]|\\{_CODE}")
_ESCAPED_CELL = re.compile(rf"(\\*)([\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]|{_CODE})")
_ESCAPE = re.compile(rf"(\\+)({_CODE})")

# How a formula begins, in ASCII and in the wide letters that some locales take for them, and what a
# spreadsheet skips before it.
_FORMULA = re.compile(
    r"[\s\x00-\x20\u00a0\u3000\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\"']*"
    "[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212]|'"
)


def portable(text: str) -> str:
    """The text with what UTF-8 cannot carry as escapes, and NUL."""
    return text if _LOOK.search(text) is None else _ESCAPED.sub(_escape, text)


def original(text: str) -> str:
    """The inverse of `portable`."""
    return _ESCAPE.sub(_unescape, text)


def cell(text: str) -> str:
    """The text as a cell of a table of comma-separated values: portable, without control characters
    but tabs and line feeds, and with an apostrophe before what a spreadsheet could take for a
    formula."""
    shown = text if _LOOK_CELL.search(text) is None else _ESCAPED_CELL.sub(_escape, text)
    return f"'{shown}" if _FORMULA.match(shown) else shown


def original_cell(shown: str) -> str:
    """The inverse of `cell`."""
    return original(shown.removeprefix("'"))


def _escape(match: re.Match[str]) -> str:
    before, found = match.groups()
    if len(found) == 1:
        return f"{before}{before}\\u{ord(found):04x}"
    return f"{before}{before}{found}"


def _unescape(match: re.Match[str]) -> str:
    slashes, code = match.groups()
    kept = slashes[: len(slashes) // 2]
    return kept + (chr(int(code[1:], 16)) if len(slashes) % 2 else code)
