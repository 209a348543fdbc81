"""Rewriting and clipping never change what an action means to the rules."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textarena.envs.SecretMafia.env import VoteHandler

from arena.environments.markup import clip_tokens, clip_vote, rewrite_votes, shorten_numbers

# Pieces that votes are made of, in every order.
PIECES = (
    "[Player 3]", "[player  4]", "[PLAYER5]", "[6]", "[player\n7]", "[Player ", "[[8]", "[٣]",
    "[", "]", "[x]", "[GAME]", "12", "I vote", "\n", "\r", "\u2028", " ", "x" * 30,
)  # fmt: skip
talk = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def test_votes_survive_in_the_form_that_the_others_see() -> None:
    assert rewrite_votes("I think [Player 3] or [PLAYER 4].") == "I think [3] or [4]."
    assert rewrite_votes("[player3]") == "[3]"
    assert rewrite_votes("Player 3, [Doctor], [3]") == "Player 3, [Doctor], [3]"


@given(talk)
def test_rewriting_a_vote_does_not_change_it(text: str) -> None:
    assert VoteHandler.parse(rewrite_votes(text)) == VoteHandler.parse(text)
    assert rewrite_votes(rewrite_votes(text)) == rewrite_votes(text)


@given(talk, st.integers(min_value=20, max_value=60))
def test_clipping_keeps_the_vote(text: str, limit: int) -> None:
    clipped = clip_vote(text, limit)
    assert len(clipped) <= limit
    assert clipped in text
    assert VoteHandler.parse(clipped) == VoteHandler.parse(text)


def test_a_vote_before_a_long_tail_is_kept_with_its_line() -> None:
    text = "Good morning.\nI vote [3]. " + "Because. " * 300
    assert clip_vote(text, 1_000).startswith("I vote [3]. Because.")


def test_without_a_vote_the_tail_is_kept_as_textarena_does() -> None:
    assert clip_vote("a" * 50 + "b" * 1_000, 1_000) == "b" * 1_000
    assert clip_vote("a" * 500 + "b" * 900 + "[3]", 1_000)[-4:] == "b[3]"


def test_decisions_before_a_long_tail_are_kept() -> None:
    clipped = clip_tokens("[1 defect] [2 cooperate] " + "Let me explain. " * 100, 1_000)
    assert clipped.startswith("[1 defect][2 cooperate]")
    assert clipped.endswith("Let me explain. ")
    assert len(clipped) == 1_000


def test_the_last_of_repeated_decisions_stays_the_last() -> None:
    clipped = clip_tokens("[1 defect] [1 cooperate] [1 defect] " + "x" * 2_000, 1_000)
    assert clipped.startswith("[1 cooperate][1 defect]x")


def test_a_text_full_of_tokens_keeps_to_the_limit() -> None:
    text = "".join(f"[{number}]" for number in range(1_000))
    assert len(clip_tokens(text, 100)) == 100
    assert clip_tokens(text, 100).endswith("[998][999]")


def test_a_number_that_python_would_refuse_to_read_is_shortened() -> None:
    assert int(shorten_numbers("9" * 5_000)) == int("9" * 300)
    assert shorten_numbers("[12] of 300") == "[12] of 300"
