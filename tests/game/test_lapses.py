"""A lapse is what an agent did wrong in a turn, told from its answer; talk is not a lapse."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.core import Action, Lapse, Termination
from arena.game import lapses
from arena.game.lapses import is_refusal, is_silent, lapse_of, termination


def lapse(
    text: str,
    *,
    finish_reason: str | None = "stop",
    refused: bool = False,
    max_characters: int | None = 1000,
    thoughts: str | None = None,
) -> Lapse | None:
    return lapse_of(
        Action(text, thoughts),
        finish_reason=finish_reason,
        refused=refused,
        max_characters=max_characters,
    )


def test_an_answer_that_plays_is_no_lapse() -> None:
    assert lapse("[3]") is None
    assert lapse("I was at home all night.", finish_reason=None) is None
    assert lapse("x" * 1000) is None
    assert lapse("x" * 100_000, max_characters=None) is None


def test_a_refusal_comes_before_silence_and_silence_before_length() -> None:
    assert lapse("", refused=True) is Lapse.REFUSAL
    assert lapse("[3]", finish_reason="refusal") is Lapse.REFUSAL
    assert lapse("", finish_reason="length") is Lapse.SILENCE
    assert lapse("[3]", finish_reason="length") is Lapse.OVERLONG
    assert lapse("x" * 1001) is Lapse.OVERLONG


@pytest.mark.parametrize("thoughts", ["Who could it be? Player 2 was", ""])
def test_an_answer_that_was_cut_before_it_came_to_speak_is_too_long(thoughts: str) -> None:
    assert lapse("", finish_reason="length", thoughts=thoughts) is Lapse.OVERLONG
    assert lapse("", finish_reason="stop", thoughts=thoughts) is Lapse.SILENCE
    assert lapse("", finish_reason="length", thoughts=thoughts, refused=True) is Lapse.REFUSAL


@pytest.mark.parametrize(
    "text",
    ["", " \n\t", "\u200b\u200b", "\x00\x1b", "\u2800\u3164", "\u202e", "\ufe0f", "\ud800"],
)
def test_what_shows_nothing_is_silence(text: str) -> None:
    assert is_silent(text)
    assert lapse(text) is Lapse.SILENCE


@pytest.mark.parametrize("text", ["-", "...", "\u200b.", "é", "🙂", "[", "沈黙"])
def test_what_shows_anything_is_not_silence(text: str) -> None:
    assert not is_silent(text)
    assert lapse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "I can't assist with that.",
        "I can’t assist with that",
        "I'm sorry, but I can't assist with that request.",
        "I'm sorry. I can't help with that.",
        "Sorry, I cannot help you with this request.",
        "I apologize, but I'm unable to fulfill this request.",
        "I am not able to engage in that kind of role-play.",
        "I'm not comfortable participating in this activity.",
        "As an AI language model, I cannot participate in role-playing that involves deception.",
        "Unfortunately, I must decline this request.",
        "I cannot comply.",
        "I won't be able to continue with this scenario because it involves violence.",
        "I'm sorry, but I can't assist with that. If you need something else, let me know!",
        "I can't help with that request.\n\nIs there anything else I can assist you with?",
        "I cannot create that content. It goes against my guidelines.",
    ],
)
def test_an_answer_that_only_declines_is_a_refusal(text: str) -> None:
    assert is_refusal(text)
    assert lapse(text) is Lapse.REFUSAL


@pytest.mark.parametrize(
    "text",
    [
        "I can't help but suspect Player 3.",
        "I can't help but notice how quiet some of you are.",
        "I can't help it, I find that suspicious.",
        "I'm sorry, but I can't trust that story.",
        "Sorry, I can't assist with that. [3]",
        "I can't assist with that. If it helps anybody else, help yourself: [3]",
        "I can't help with that, Player 2: my role stays my secret.",
        "I can't help with that. I was asleep and saw nothing.",
        "I cannot vote for somebody who has said nothing yet.",
        "I refuse to answer that question before the Detective speaks.",
        "I can't answer that.",
        "I won't participate in this witch hunt.",
        "I won't participate in this.",
        "I will not comply with the mob, I vote for nobody.",
        "As an AI, I cannot lie, so believe me: I am the Doctor.",
        "As a villager, I cannot help with that much, but I listen.",
        "I must decline your offer. How about two sheep for one brick?",
        "I decline.",
        "I am unable to find a reason to vote today.",
        "Player 4 said: I'm sorry, but I can't assist with that request.",
        "He says he can't assist with that.",
        "Unfortunately, we lost the Doctor.",
        "My apologies, that was a mistake.",
        "Sorry.",
        "I can't assist with that. " + "Let me explain at length what I think. " * 20,
        "[Deny]",
        "",
    ],
)
def test_talk_is_not_a_refusal(text: str) -> None:
    assert not is_refusal(text)


@given(st.text(max_size=700))
def test_any_text_is_judged(text: str) -> None:
    found = lapse(text)

    assert found in {None, Lapse.SILENCE, Lapse.OVERLONG, Lapse.REFUSAL}
    assert (found is None) == (not is_silent(text) and not is_refusal(text))


# What refusals are made of, and what comes near.
PIECES = (
    "I'm sorry", "I’m ſorry", "My apologies", "Unfortunately", ",", " -", ".", "!", " ", "\n",
    "\u00a8", "\u2028", "but ", "As an AI model, ", "I ", "We ", "İ can't", "can't", "cannot",
    "must decline to", "am not able to", " assist with that", " help with this request", " comply",
    "I have to decline", " because it is bad", "I can help with something else.", " [3]",
    "Player 3",
)  # fmt: skip


@example(["I'm sorry\n- I can't assist with that."], "")
@given(st.lists(st.sampled_from(PIECES), max_size=9), st.sampled_from(["", " ", "\n"]))
def test_an_answer_that_does_not_begin_like_a_refusal_is_none(
    pieces: list[str], between: str
) -> None:
    text = between.join(pieces)
    found = is_refusal(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lapses, "_OPENING", re.compile(""))
        assert is_refusal(text) is found


def test_a_game_that_an_invalid_action_decided_is_called_by_the_lapse_behind_it() -> None:
    for found in Lapse:
        assert termination(Termination.INVALID_ACTION, found).value == found.value
    assert termination(Termination.INVALID_ACTION, None) is Termination.INVALID_ACTION
    assert termination(Termination.NATURAL, Lapse.SILENCE) is Termination.NATURAL
    assert termination(Termination.TURN_LIMIT, Lapse.OVERLONG) is Termination.TURN_LIMIT
