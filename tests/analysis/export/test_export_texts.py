"""Texts in exported files: whatever a model writes comes back, and nothing in it is a formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.analysis.export.texts import cell, original, original_cell, portable

# What escapes are made of, so that the strategy finds those that could be mistaken.
HOSTILE = st.text(
    st.sampled_from("\\ud83dD0fu\x00\x1b\r\n\t'\"=+-@ \ud83d\udc00\ufeff終") | st.characters(),
    max_size=12,
) | st.lists(
    st.sampled_from(["\\", "\\\\", "u0000", "ud83d", "\\u001b", "\x00", "\ud83d", "u00e9"])
).map("".join)


@given(HOSTILE)
def test_every_text_comes_back_and_is_utf_8_without_nul(text):
    shown = portable(text)
    assert "\x00" not in shown
    shown.encode()
    assert original(shown) == text


@given(HOSTILE)
def test_every_cell_comes_back_and_is_no_formula(text):
    shown = cell(text)
    shown.encode()
    assert not any(ord(each) < 32 and each not in "\t\n" for each in shown)
    assert shown.lstrip(' \t\n"\u00a0\u3000\ufeff')[:1] not in ("=", "+", "-", "@")
    assert original_cell(shown) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("I vote [3].", "I vote [3]."),
        ("caf\u00e9 \\u00e9 \\d", "caf\u00e9 \\u00e9 \\d"),
        ("cut \ud83d", "cut \\ud83d"),
        ("said \\ud83d", "said \\\\ud83d"),
        ("a\x00b", "a\\u0000b"),
    ],
)
def test_only_what_cannot_be_carried_changes(text, shown):
    assert portable(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        " =1",
        "\t=1",
        '"=1',
        "'=1",
        "\u3000=1",
        "\uff1d1",
        "\ufeff=1",
    ],
)
def test_what_a_spreadsheet_could_take_for_a_formula_begins_with_an_apostrophe(text):
    assert cell(text) == f"'{text}"
