"""Hostile text is shown, not obeyed."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core.text import lines, one_line, visible

ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [3] text", "plain [3] text"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]52;c;Zm9v\x07", "\\x1b]52;c;Zm9v\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\x00b\rc\x08d", "a\\x00b\\x0dc\\x08d"),
        ("vote \u202e[3]\u202c", "vote \\u202e[3]\\u202c"),
        ("in\u200bvisible", "in\\u200bvisible"),
        ("half \ud83d", "half \\ud83d"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("one\u2028two\x85three", "one\\u2028two\\x85three"),
        ("blank\u3164 \u2800", "blank\\u3164 \\u2800"),
        ("naïve — 日本語 ✓ 🤖", "naïve — 日本語 ✓ 🤖"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "\\u0301" * 2),
    ],
)
def test_what_acts_is_made_visible_and_the_rest_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(codec=None)))
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    shown = visible(text)

    assert not ACTING.search(shown)
    assert len(shown.splitlines()) <= 1
    # What is dropped from both: the escapes, and the characters that were escaped.
    kept = [char for char in text if visible(char) == char]
    assert [char for char in shown if char in kept] or not kept


@given(st.text())
def test_only_a_newline_ends_a_line(text: str) -> None:
    assert len(lines(text)) == text.count("\n") + 1


def test_one_line_is_cut_with_an_ellipsis() -> None:
    assert one_line("a\n  b\tc", 3) == "a …"
    assert one_line("a\n  b\tc", 5) == "a b c"
    assert unicodedata.name(one_line("abc", 1)) == "HORIZONTAL ELLIPSIS"
