"""What a text has that another has not."""

from __future__ import annotations

import random

import pytest

from arena.reports.word_diff import changed_words, word_diff


def told(before: str, after: str) -> str:
    """The difference as one line: [-what went-] and {+what came+}."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(marks[piece.kind].format(piece.text) for piece in word_diff(before, after))


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ("Say little.", "Say little.", "Say little."),
        ("", "Say little.", "{+Say little.+}"),
        ("Say little.", "Say nothing.", "Say [-little-]{+nothing+}."),
        ("Trust. Say little. Vote.", "Trust. Vote.", "Trust. [-Say little. -]Vote."),
        ("Player {{n}} of 6.", "Player {{n}}. Stay calm.", "Player {{n}}[- of 6-].{+ Stay calm.+}"),
        ("a b c\nend", "x y z\nend", "[-a b c-]{+x y z+}\nend"),
    ],
)
def test_a_difference_is_told_word_by_word(before: str, after: str, difference: str) -> None:
    assert told(before, after) == difference


def test_both_texts_are_in_the_difference_whatever_they_are() -> None:
    dice = random.Random(5)
    words = ["a", "b", ".", " ", "\n", ", ", "{{role}}", "é", ""]
    for length in range(60):
        before, after = ("".join(dice.choices(words, k=length)) for _ in range(2))
        pieces = word_diff(before, after)
        assert "".join(p.text for p in pieces if p.kind != "added") == before
        assert "".join(p.text for p in pieces if p.kind != "removed") == after
        assert all(piece.text for piece in pieces)


def test_long_texts_are_compared_by_lines_and_then_as_a_whole() -> None:
    before = "".join(f"line {at} says {at}\n" for at in range(1_000))
    pieces = word_diff("x" + before, "y" + before.replace("says 900\n", "said 900\n"))
    assert [piece.text for piece in pieces if piece.kind == "added"] == [
        "yline 0 says 0\n",
        "line 900 said 900",
    ]
    one, other = (" ".join(f"{sign}{at}" for at in range(5_000)) for sign in "ab")
    assert [piece.kind for piece in word_diff(one, other)] == ["removed", "added"]


def test_words_are_counted() -> None:
    assert changed_words(word_diff("Say little.", "Say a lot, loudly.")) == (3, 1)
