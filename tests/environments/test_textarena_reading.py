"""Whom an action chooses in a real game of Secret Mafia, and what the rules are given for it."""

from __future__ import annotations

import pytest

from arena.core import ActionReading, TargetHow, UsageError
from arena.environments.textarena import REVISION, TextArena
from arena.environments.textarena_reading import plain_brackets
from real.vote_forms import CLEAR, NOBODY


def voting(revision: int = REVISION, seed: int = 1) -> TextArena:
    """A game in which a player is asked for its vote by day."""
    game = TextArena(name="SecretMafia-v0", revision=revision, discussion_rounds=1)
    game.reset(seed=seed, num_players=6)
    while "Voting phase" not in game.observe().new:
        targets = game.observe().new.rpartition(":")[2]
        night = "Day breaks" not in game.observe().new
        game.step(game.prepare(f"[{targets.split('[')[1][0]}]" if night else "Hello."))
    return game


def renamed(text: str, game: TextArena) -> str:
    """A text of the lists, with the players of this game: who votes is 2, who is chosen is 3."""
    me = game.observe().player_index
    asked = game.observe().new.rpartition("Valid: ")[2]
    alive = [int(name.strip("[]\n ")) for name in asked.partition("\n")[0].split(", ")]
    others = [player for player in alive if player != me]
    names = {"2": str(me), "3": str(others[-1]), "1": str(others[0]), "4": str(others[1])}
    return "".join(names.get(char, char) for char in text)


def test_a_vote_is_put_where_the_rules_look_and_what_was_said_is_shown() -> None:
    game = voting()
    me = game.observe().player_index
    text = renamed("My vote is [3], not [1].", game)
    target = text[12]

    reading = game.read(text)

    assert reading == ActionReading(f"[{target}]\n{text}", target, TargetHow.STATED)
    assert not game.step(reading.text).invalid
    assert game.observe().text.endswith(f"\n[Player {me}] [{target}]\n| {text}")


@pytest.mark.parametrize(
    ("text", "given", "how"),
    [
        ("[3]", "[3]", TargetHow.STATED),
        ("I vote [3].", "I vote [3].", TargetHow.STATED),
        ("I vote for Player 3.", "[3]\nI vote for Player 3.", TargetHow.STATED),
        ("\\[3\\]", "[3]", TargetHow.STATED),
        ("[Vote: 3]", "[3]", TargetHow.STATED),
        ("[3], I have a bad feeling.", "[3], I have a bad feeling.", TargetHow.ONLY),
        ("[1] [3]", "[1] [3]", TargetHow.SEVERAL),
        ("[3] or [1]? Not [4]!", "[3] or [1]? Not (4)!", TargetHow.SEVERAL),
        ("Anyone but [1].", "Anyone but (1).", TargetHow.NONE),
        ("I abstain.", "I abstain.", TargetHow.NONE),
    ],
)
def test_what_the_rules_are_given_and_how_it_was_read(text: str, given: str, how: str) -> None:
    game = voting()
    reading = game.read(renamed(text, game))

    assert (reading.text, reading.how) == (renamed(given, game), how)
    assert (reading.target is None) == (how == TargetHow.NONE)
    assert game.step(reading.text).invalid == (how == TargetHow.NONE)


def test_every_clear_form_is_a_vote_for_who_was_chosen() -> None:
    game = voting()
    chosen = renamed("3", game)
    for text in CLEAR:
        if not {"5", "0", "three"} & {*text, *text.split()}:  # the dead, and who is not renamed
            assert game.read(renamed(text, game)).target == chosen, text


def test_no_text_that_chooses_nobody_is_a_vote() -> None:
    game = voting()
    for text in NOBODY:
        assert game.read(renamed(text, game)).target is None, text


def test_an_echo_of_the_question_is_no_vote() -> None:
    game = voting()
    question = game.observe().new.rpartition("[GAME] ")[2]
    assert game.read(question).target is None
    assert game.read(f"{question}\n{renamed('[3]', game)}").target == renamed("3", game)


def test_at_night_the_doctor_chooses_whom_it_names() -> None:
    game = TextArena(name="SecretMafia-v0")
    game.reset(seed=1, num_players=6)
    while "to protect" not in game.observe().new:
        targets = game.observe().new.rpartition(":")[2]
        game.step(game.prepare(f"[{targets.split('[')[1][0]}]"))
    target = game.observe().new.rpartition("[")[2][0]
    text = f"Player {target} seems innocent to me."
    assert game.read(text) == ActionReading(f"[{target}]\n{text}", target, TargetHow.ONLY)


def test_talk_is_read_as_talk() -> None:
    game = TextArena(name="SecretMafia-v0")
    game.reset(seed=1, num_players=6)
    while "Day breaks" not in game.observe().new:
        targets = game.observe().new.rpartition(":")[2]
        game.step(game.prepare(f"[{targets.split('[')[1][0]}]"))
    assert game.read("Not [1], I would say.") == ActionReading("Not [1], I would say.")


def test_the_first_revision_gives_the_rules_every_action_as_it_came() -> None:
    game = voting(revision=1)
    text = renamed("My vote is [3], not [1].", game)
    assert game.spec.revision == 1
    assert game.read(text) == ActionReading(text)
    assert TextArena(name="SecretMafia-v0").spec.revision == REVISION
    too_new = f"in revision {REVISION + 1} of its adapter; this release knows 1 to {REVISION}"
    with pytest.raises(UsageError, match=too_new):
        TextArena(name="SecretMafia-v0", revision=REVISION + 1)


@pytest.mark.parametrize(
    ("name", "text", "given"),
    [
        ("TicTacToe-v0", "\\[4\\]", "[4]"),
        ("TicTacToe-v0", "\\\\[4\\\\]", "[4]"),
        ("TicTacToe-v0", "［4］", "[4]"),
        ("TicTacToe-v0", "My move: [Move: 4]", "My move: [4]"),
        ("TicTacToe-v0", "[4], not [5]", "[4], not [5]"),
        ("ThreePlayerIPD-v0", "\\[1 cooperate\\] \\[2 defect\\]", "[1 cooperate] [2 defect]"),
        ("ConnectFour-v0", "[Final answer: col 3]", "[col 3]"),
        ("SimpleBlindAuction-v0", "[Bid on Item 0: 25]", "[Bid on Item 0: 25]"),
        ("LiarsDice-v0", "[Bid: 1, 3]", "[Bid: 1, 3]"),
        ("SimpleNegotiation-v0", "[Offer: 1 Wood -> 2 Ore]", "[Offer: 1 Wood -> 2 Ore]"),
    ],
)
def test_brackets_that_rules_do_not_know_become_those_that_they_do(
    name: str, text: str, given: str
) -> None:
    game = TextArena(name=name)
    game.reset(seed=1, num_players=game.spec.min_players)
    assert game.read(text) == ActionReading(given)


def test_brackets_of_other_things_stay() -> None:
    for text in ("a[1] = b[2]", "[room: 3]", "no brackets", "[[4]]", "[Vote]"):
        assert plain_brackets(text) == text
