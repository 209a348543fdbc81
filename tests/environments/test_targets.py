"""Whom a vote chooses, in every wording that is clear; nobody where nobody is chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import TargetHow
from arena.environments.targets import TargetFound, TargetQuestion, read_target
from real.vote_forms import CLEAR, NOBODY, QUESTION

ASKED = TargetQuestion(candidates=(0, 1, 3, 4, 5), me=2, asked=QUESTION)


def test_the_lists_are_as_long_as_the_figures_say() -> None:
    assert (len(set(CLEAR)), len(set(NOBODY))) == (60, 40)


@pytest.mark.parametrize("text", CLEAR)
def test_a_clear_choice_is_read(text: str) -> None:
    found = read_target(text, ASKED)

    assert (found.player, found.how in {TargetHow.STATED, TargetHow.ONLY}) == (3, True)


@pytest.mark.parametrize("text", NOBODY)
def test_nobody_is_read_where_nobody_is_chosen(text: str) -> None:
    found = read_target(text, ASKED)

    assert (found.player, found.how) == (None, TargetHow.NONE)


@pytest.mark.parametrize(
    ("text", "player", "how"),
    [
        # Said in so many words.
        ("My vote is [3], not [1].", 3, TargetHow.STATED),
        ("I vote [1].\nActually, I vote [3].", 3, TargetHow.STATED),
        ("## Vote\n[3]", 3, TargetHow.STATED),
        ("[3]\nBecause [1] told the truth.", 3, TargetHow.STATED),
        ("If [1] is the Detective, [3] is Mafia. I vote [3].", 3, TargetHow.STATED),
        ("Player 1 said: vote [4]. I vote [3].", 3, TargetHow.STATED),
        ("Player 4 wants us to vote [1], I vote [3].", 3, TargetHow.STATED),
        ("I, Player 2, vote for Player 3.", 3, TargetHow.STATED),
        ("Between [1] and [3], I choose [3].", 3, TargetHow.STATED),
        ("I switch my vote from [1] to [3].", 3, TargetHow.STATED),
        ("Not 1, but 3.", 3, TargetHow.STATED),
        ("vote(3)", 3, TargetHow.STATED),
        ('{"action": "vote", "target": 3}', 3, TargetHow.STATED),
        ("[three]", 3, TargetHow.STATED),
        ("three", 3, TargetHow.STATED),
        ("Well, I think 3.", 3, TargetHow.STATED),
        ("[3] because Player 1's claim of [4] fits", 3, TargetHow.STATED),
        ("I vote for three", 3, TargetHow.STATED),
        ("It has to be Player 3.", 3, TargetHow.STATED),
        ("Player 3 should be eliminated.", 3, TargetHow.STATED),
        ("I want Player 3 gone.", 3, TargetHow.STATED),
        ("Vote for 3 not 1", 3, TargetHow.STATED),
        ("I have no choice but to vote for Player 3.", 3, TargetHow.STATED),
        ("I'll go with what Player 4 said and vote 3", 3, TargetHow.STATED),
        ("I agree with Player 1 and vote for Player 3.", 3, TargetHow.STATED),
        ("First choice [3], second choice [1].", 3, TargetHow.STATED),
        ("[1], what do you think?\nI vote [3].", 3, TargetHow.STATED),
        ("[3] [3] [3]", 3, TargetHow.ONLY),
        ('{"player": 3, "confidence": 0.9}', 3, TargetHow.STATED),
        ("I vote [3]. Tomorrow we look at [4].", 3, TargetHow.STATED),
        ("I vote [3]. If I'm wrong, vote [1] next.", 3, TargetHow.STATED),
        ("I vote [3]. If I am wrong, vote [1].", 3, TargetHow.STATED),
        ("Votes: Player 1 for [4].\nI vote for Player 3.", 3, TargetHow.STATED),
        ("Yesterday we eliminated [0]. [3]. Player 4 agrees about [1].", 3, TargetHow.STATED),
        ("I was about to vote for [1], but Player 3.", 3, TargetHow.STATED),
        ("I vote [3]. We should look into [1] and check [4].", 3, TargetHow.STATED),
        ('{"vote": 3} Tomorrow I vote [1].', 3, TargetHow.STATED),
        ("I'm leaning towards Player 3.", 3, TargetHow.STATED),
        ("Ich stimme für Spieler 3", 3, TargetHow.STATED),
        ("Voto por el jugador 3", 3, TargetHow.STATED),
        ("我投3号", 3, TargetHow.STATED),
        ("Everyone, vote [3]!", 3, TargetHow.STATED),
        ("[３]", 3, TargetHow.STATED),
        # The only one who is named.
        ("[3], I have a bad feeling.", 3, TargetHow.ONLY),
        ("Player 3 is lying.", 3, TargetHow.ONLY),
        ("Player 3 is no Detective. I vote to eliminate them.", 3, TargetHow.ONLY),
        ('Player 1 said "I vote [4]".', 4, TargetHow.ONLY),
        ("I don't trust [3].", 3, TargetHow.ONLY),
        ("[9] is dead, so [3] it may be.", 3, TargetHow.ONLY),
        # Several: the rules' own choice.
        ("[1] [3]", None, TargetHow.SEVERAL),
        ("[1]... or [3]?", None, TargetHow.SEVERAL),
        ("I vote [1]. I vote [3].", None, TargetHow.SEVERAL),
        ("[1] voted with [3], as always.", None, TargetHow.SEVERAL),
        # Nobody.
        ("Player 3 said nothing.", None, TargetHow.NONE),
        ("Player 3 voted for me.", None, TargetHow.NONE),
        ("Who should I vote for?", None, TargetHow.NONE),
        ("Who would vote for Player 1?", None, TargetHow.NONE),
        ("Vote [1]? No way.", None, TargetHow.NONE),
        ("I trust [1].", None, TargetHow.NONE),
        ("Save Player 1!", None, TargetHow.NONE),
        ("Keep [1].", None, TargetHow.NONE),
        ("I vote like Player 1.", None, TargetHow.NONE),
        ("I vote with [1].", None, TargetHow.NONE),
        ("I take back my vote for Player 1.", None, TargetHow.NONE),
        ("It makes no sense to eliminate Player 1.", None, TargetHow.NONE),
        ("I hesitate to vote for [1].", None, TargetHow.NONE),
        ("Voting [1] would be a mistake.", None, TargetHow.NONE),
        ("Nobody should vote [1].", None, TargetHow.NONE),
        ("I was told to vote for [1] but I abstain.", None, TargetHow.NONE),
        ("The Mafia will kill Player 1 tonight.", None, TargetHow.NONE),
        ("Thanks Player 4.", None, TargetHow.NONE),
        ("I vote for one.", None, TargetHow.NONE),
        ('{"votes": {"1": 2, "4": 1}}', None, TargetHow.NONE),
        ('{"player": 1, "suspicion": 0.1}', None, TargetHow.NONE),
        ("[room 3] is empty", None, TargetHow.NONE),
        ("", None, TargetHow.NONE),
        # A dead player, or none at all: the rules will say so.
        ("I vote for Player 9.", 9, TargetHow.STATED),
    ],
)
def test_a_text_is_read(text: str, player: int | None, how: str) -> None:
    found = read_target(text, ASKED)

    assert (found.player, found.how) == (player, how)


def test_who_is_named_without_being_chosen_is_told() -> None:
    assert read_target("My vote is [3], not [1].", ASKED) == TargetFound(
        3, TargetHow.STATED, frozenset({1})
    )
    assert read_target("Anyone but [1].", ASKED) == TargetFound(
        None, TargetHow.NONE, frozenset({1})
    )
    assert read_target(QUESTION, ASKED).void == {0, 1, 3, 4, 5}


def test_at_night_naming_a_player_is_choosing_it() -> None:
    protecting = TargetQuestion(candidates=(0, 1, 3), me=2, naming_chooses=True)

    assert read_target("Player 3 is innocent, I am sure.", protecting).player == 3
    assert read_target("Tonight I watch over [3].", protecting).player == 3
    assert read_target("I protect Player 3.", protecting) == TargetFound(3, TargetHow.STATED)
    assert read_target("Player 3 is innocent, I am sure.", ASKED).player is None


def test_a_text_that_is_too_long_says_nothing_clearly() -> None:
    assert read_target("I vote [3]. " + "Well. " * 2_000, ASKED).how == TargetHow.SEVERAL
    assert read_target("I vote [3]. " * 100, ASKED).how == TargetHow.SEVERAL


PIECES = (
    "[3]", "[1]", "Player 3", "not ", "vote ", "I ", "no ", "but ", "remove ", "going ", ",", ".",
    "\n", " " * 40, "\t", "(", "[", "]", "and ", "n't", "\\boxed{", "}", "three", "3", "#", "İ",
    "٣",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_any_text_is_read(text: str) -> None:
    found = read_target(text, ASKED)

    assert (found.player is None) == (found.how in {TargetHow.SEVERAL, TargetHow.NONE})
    assert found.player is None or str(found.player) in text.replace("three", "3").replace("٣", "3")
