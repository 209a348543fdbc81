"""How much of a call an earlier one of the same player began with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.llm.shared_prefix import SharedPrefix


def said(*contents: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content} for content in contents]


def test_a_chat_shares_all_but_what_is_new() -> None:
    count = SharedPrefix()
    assert count.add(said("the rules", "a")) == 0.0
    assert count.add(said("the rules", "a", "b")) == pytest.approx(1 - 7 / 29)
    assert count.add(None) is None
    assert (count.characters, count.shared) == (22 + 29, 22)


def test_another_role_is_another_beginning() -> None:
    count = SharedPrefix()
    count.add([{"role": "system", "content": "x"}])
    assert count.add([{"role": "user", "content": "x"}]) == pytest.approx(1 / 7)


def test_two_calls_a_turn_share_with_those_of_the_turn_before() -> None:
    count = SharedPrefix()
    for turn in ("one", "one two", "one two three"):
        for task in ("notes", "act"):
            last = count.add([*said(f"seen: {turn}"), *said(task)])
    assert last is not None
    assert last > 0.7


@given(st.lists(st.text(st.sampled_from("ab"), max_size=12), min_size=2, max_size=6))
def test_the_share_is_that_of_the_longest_common_beginning(texts: list[str]) -> None:
    count = SharedPrefix()
    for place, text in enumerate(texts):
        sent = f"\nuser\n{text}"
        expected = 0
        for before in texts[:place]:
            for length in range(len(sent) + 1):
                if f"\nuser\n{before}".startswith(sent[:length]):
                    expected = max(expected, length)
        assert count.add(said(text)) == expected / len(sent)
