"""Null variants of a prompt say what it says, and are known again by it."""

from __future__ import annotations

import pytest

from arena.core.null_variants import MOST, meaning, null_variants

PLAIN = """\
You are Player {{player_index}}. Do not lie.

You must answer in
at most two sentences. Cannot is not a word."""


def test_a_word_the_order_of_sections_and_white_space_change_and_nothing_else() -> None:
    # As they are, they are known again: this text must never change.
    assert null_variants(PLAIN, 5) == [
        "You are Player {{player_index}}. Don't lie.\n\n"
        "You have to answer in\nno more than two sentences. Can't isn't a word.",
        "You must answer in\nat most two sentences. Cannot is not a word.\n\n"
        "You are Player {{player_index}}. Do not lie.",
        "You are Player {{player_index}}.  Do not lie.\n\n"
        "You must answer in\nat most two sentences.  Cannot is not a word.",
        "You are Player {{player_index}}. Do not lie.\n\n\n"
        "You must answer in\nat most two sentences. Cannot is not a word.",
        "You have to answer in\nno more than two sentences. Can't isn't a word.\n\n"
        "You are Player {{player_index}}. Don't lie.",
    ]


@pytest.mark.parametrize(
    "text", [PLAIN, "Win.", "don't don't", " \n\n a ", "{{ agent }} do not {{agent}}", "\x00\ud800"]
)
def test_all_of_them_mean_the_same(text: str) -> None:
    variants = null_variants(text, MOST)

    assert len({*variants, text}) == MOST + 1
    assert {meaning(variant) for variant in variants} == {meaning(text)}
    for one in variants:
        assert {meaning(again) for again in null_variants(one, MOST)} == {meaning(text)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Do not lie.", "Do lie."),
        ("Win.", "win."),
        ("You must win.", "They must win."),
        ("One.\n\nTwo.", "One."),
        ("One. Two.", "Two. One."),
    ],
)
def test_other_prompts_mean_something_else(one: str, other: str) -> None:
    assert meaning(one) != meaning(other)
