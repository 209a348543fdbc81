"""Shows text that a stranger wrote: what a terminal or a reader would obey is made visible.

Escape sequences, control characters, characters that reverse or hide others and lone surrogates
come out as backslash escapes (`\\x1b`, `\\u202e`); everything else stays as it is. Nothing is
dropped. The text that is stored is never changed, only what is shown.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Letters by their category, blank on the screen: they hide or fake the end of a word.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINER = "\u200d"
_MARKS = 4  # combining marks on one character; more of them grow over the neighbouring lines

_PLAIN = re.compile(r"[\x20-\x7e]*")
_RUNS = re.compile(r"[\x20-\x7e]+|[^\x20-\x7e]")


def visible(text: str, *, keep: str = "") -> str:
    """The text with every character that acts instead of showing written as an escape.

    Characters in `keep` (a newline, say) stay.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(piece for piece, _ in pieces(text, keep=keep))


def pieces(text: str, *, keep: str = "") -> Iterator[tuple[str, bool]]:
    """The same, in pieces: (text, whether it is an escape), so that escapes can be set apart."""
    plain: list[str] = []
    marks = 0
    for found in _RUNS.finditer(text):
        position, char = found.start(), found.group()
        if " " <= char[0] <= "~":
            plain.append(char)
            marks = 0
            continue
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        hidden = category in _HIDING or char in _BLANK or marks > _MARKS
        if not hidden or char in keep or (char == _JOINER and _joins(text, position)):
            plain.append(char)
            continue
        if plain:
            yield "".join(plain), False
            plain = []
        yield _escape(char), True
    if plain:
        yield "".join(plain), False


def lines(text: str) -> list[str]:
    """The lines of a text, not yet safe to print: only a newline ends a line, whatever else
    `str.splitlines` takes for an end. Tabs become four spaces."""
    return text.replace("\r\n", "\n").replace("\t", "    ").split("\n")


def one_line(text: str, width: int | None = None) -> str:
    """The text on one line, with single spaces, cut to `width` characters with an ellipsis."""
    flat = visible(" ".join(text.split()))
    if width is None or len(flat) <= width:
        return flat
    return flat[: max(width - 1, 0)] + "…"


def _escape(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _joins(text: str, position: int) -> bool:
    """Whether the joiner at this position makes one emoji of two."""
    around = text[max(position - 1, 0) : position] + text[position + 1 : position + 2]
    return len(around) == 2 and all(
        unicodedata.category(char) in {"So", "Sk", "Mn"} for char in around
    )
