"""A conversation is shortened at its oldest end, visibly, and always in the same way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import ContextOverflow, Message, text_of
from arena.llm.overflow import LEFT_OUT, ContextLimit, OverflowPolicy, size_of, truncated

OPENING = "[GAME] You are Player 0 of 6. The rules are long." + " Mind them." * 10
SYSTEM: Message = {"role": "system", "content": "Win."}


def said(turns: int) -> str:
    return OPENING + "".join(
        f"\n[Player {n % 6}] speech number {n}, at length." for n in range(turns)
    )


def asked(turns: int) -> list[Message]:
    return [SYSTEM, {"role": "user", "content": said(turns)}]


def chat(turns: int) -> list[Message]:
    messages: list[Message] = [SYSTEM, {"role": "user", "content": OPENING}]
    for n in range(turns):
        messages.append({"role": "assistant", "content": f"I say {n}."})
        messages.append({"role": "user", "content": f"\n[Player 1] {n}!\n[Player 2] {n}?"})
    return messages


def test_what_fits_stays_as_it_is() -> None:
    assert truncated(asked(5), 10_000) == asked(5)


def test_the_oldest_is_left_out_and_that_is_said() -> None:
    [system, user] = truncated(asked(100), 2000)
    assert system == SYSTEM
    content = text_of(user)
    assert content.startswith(f"{OPENING}{LEFT_OUT}\n[Player ")
    assert content.endswith("speech number 99, at length.")
    assert "speech number 50," not in content
    assert 1400 < len(content) <= 2000 + len(LEFT_OUT)


def test_the_beginning_stays_the_same_for_some_turns() -> None:
    starts = {text_of(truncated(asked(turns), 2000)[1])[:300] for turns in range(100, 140)}
    assert len(starts) < 6


def test_a_chat_loses_whole_turns_and_roles_still_alternate() -> None:
    shorter = truncated(chat(80), 1500)
    assert shorter[0] == SYSTEM
    assert text_of(shorter[1]).startswith(f"{OPENING}{LEFT_OUT}")
    assert shorter[-1] == chat(80)[-1]
    roles = [message["role"] for message in shorter[1:]]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert size_of(shorter) < 1500 + len(LEFT_OUT)


def test_rules_that_fill_the_context_are_shortened_too() -> None:
    rules: Message = {"role": "user", "content": "a rule, and another one\n" * 400}
    [shorter] = truncated([rules], 2000)
    assert text_of(shorter).startswith("a rule, and another one\n")
    assert LEFT_OUT in text_of(shorter)
    assert size_of([shorter]) < 2000 + len(LEFT_OUT)


words = st.text(st.sampled_from("ab \n[]P1"), max_size=60)


@given(
    st.lists(st.tuples(st.sampled_from(["user", "assistant"]), words), min_size=1, max_size=9),
    st.integers(8, 200),
)
def test_nothing_is_invented_and_the_end_stays(texts: list[tuple[str, str]], limit: int) -> None:
    messages: list[Message] = [SYSTEM, *({"role": role, "content": text} for role, text in texts)]
    shorter = truncated(messages, limit)
    assert shorter[0] == SYSTEM
    assert size_of(shorter) <= size_of(messages) + len(LEFT_OUT) + 1
    assert shorter == truncated(messages, limit)
    if size_of(messages) > limit:
        end = text_of(messages[-1])[-(limit // 8) :]
        assert text_of(shorter[-1]).endswith(end)


def test_by_default_the_game_is_void() -> None:
    limit = ContextLimit()
    with pytest.raises(ContextOverflow, match="too long") as raised:
        limit.shorter(asked(9), asked(9), 0, "too long")
    assert not raised.value.forfeit


def test_who_loses_is_not_asked_again() -> None:
    limit = ContextLimit(OverflowPolicy.LOSE)
    with pytest.raises(ContextOverflow) as raised:
        limit.shorter(asked(9), asked(9), 0, "too long")
    assert raised.value.forfeit
    with pytest.raises(ContextOverflow) as raised:
        limit.fitting(asked(1))
    assert raised.value.forfeit


def test_a_call_is_shortened_three_times_at_most() -> None:
    limit, sent = ContextLimit(OverflowPolicy.TRUNCATE), asked(200)
    sizes = []
    for cuts in range(3):
        sent = list(limit.shorter(asked(200), sent, cuts, "too long"))
        sizes.append(size_of(sent))
    assert sizes == sorted(sizes, reverse=True)
    with pytest.raises(ContextOverflow):
        limit.shorter(asked(200), sent, 3, "too long")
    assert limit.fitting(asked(200)) == sent, "the next turn begins with what was found"


def test_what_cannot_be_shortened_ends_the_game() -> None:
    limit, short = ContextLimit(OverflowPolicy.TRUNCATE), asked(0)
    with pytest.raises(ContextOverflow):
        limit.shorter(short, short, 0, "too long")
