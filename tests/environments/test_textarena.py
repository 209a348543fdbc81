"""The adapter: observations, invalid moves, crashes and outcomes of TextArena's games."""

from __future__ import annotations

import random
import sys

import pytest
import textarena

from arena.core import EnvironmentCrash, Outcome, Step, Termination
from arena.environments.textarena import TextArena
from arena.environments.textarena_facts import MAX_CHARACTERS
from arena.testing import offered


def started(name: str, num_players: int = 2, seed: int = 1, **options: object) -> TextArena:
    game = TextArena(name=name, **options)
    game.reset(seed=seed, num_players=num_players)
    return game


def do(game: TextArena, *actions: str) -> None:
    for action in actions:
        game.observe()
        game.step(game.prepare(action))


def ranks(outcome: Outcome) -> list[int]:
    return [player.rank for player in outcome.players]


@pytest.mark.parametrize(
    ("name", "num_players"),
    [("SecretMafia-v0", 6), ("TicTacToe-v0", 2), ("TwoDollar-v0", 2), ("SettlersOfCatan-v0", 4)],
)
def test_what_a_player_sees_is_what_textarenas_own_wrapper_shows(
    name: str, num_players: int
) -> None:
    game, reference = started(name, num_players), textarena.make(name)
    if name == "TwoDollar-v0":  # its roles come in the order of a directory listing
        roles = reference.available_roles
        reference.env.env.available_roles = {role: roles[role] for role in sorted(roles)}
    reference.reset(num_players=num_players, seed=1)
    for turn in range(30):
        player, text = reference.get_observation()
        seen = game.observe()
        assert (seen.player_index, seen.turn_number, seen.text) == (player, turn, text)
        assert game.observe() == seen
        assert text.endswith(seen.new)
        action = f"[{turn * 7 % 9}]"
        assert game.step(game.prepare(action)).done == reference.step(action)[0]
        if reference.state.done:
            break


def test_new_is_what_was_added_since_the_players_previous_turn() -> None:
    game = started("TicTacToe-v0")
    first = game.observe()
    assert first.new == first.text
    do(game, "[4]", "[0]")
    second = game.observe()
    assert second.text == first.text + second.new
    assert "Player 1 placed their symbol in cell 0" in second.new or "[0]" in second.new


def test_a_refused_action_is_marked_and_the_same_player_is_up_again() -> None:
    game = started("TicTacToe-v0")
    step = game.step(game.prepare("[9]"))
    assert (step.done, step.invalid) == (False, True)
    seen = game.observe()
    assert (seen.player_index, seen.turn_number) == (0, 1)
    assert "attempted an invalid move" in seen.new
    assert not game.step(game.prepare("[4]")).invalid
    assert [p.invalid_actions for p in game.outcome(turn_limit=True).players] == [1, 0]


def test_a_second_refused_action_in_a_row_loses_and_says_so() -> None:
    game = started("TicTacToe-v0")
    do(game, "[9]", "[9]")
    outcome = game.outcome()
    assert outcome.termination is Termination.INVALID_ACTION
    assert ranks(outcome) == [1, 0]
    assert outcome.winning_team == "Player 1"
    assert outcome.players[0].invalid_actions == 2


def test_refusals_that_the_rules_wipe_before_they_return_are_counted() -> None:
    game = started("PublicGoodsGame-v0", 3, num_rounds=1, communication_turns=1)
    do(game, "Hello.", "Hello.", "Hello.", "no number", "still none")
    assert [p.invalid_actions for p in game.outcome(turn_limit=True).players] == [2, 0, 0]


def test_a_game_in_which_everybody_is_eliminated_ends_as_a_draw() -> None:
    game = started("MarketEntryGame-v0", 2)
    for _ in range(60):
        if game.step(game.prepare("I cannot decide.")).done:
            break
    outcome = game.outcome()
    assert outcome.reason == "All players were eliminated."
    assert (ranks(outcome), outcome.winning_team) == ([0, 0], None)


def test_a_draw_has_no_winner() -> None:
    game = started("TicTacToe-v0")
    do(game, "[0]", "[1]", "[2]", "[4]", "[3]", "[5]", "[7]", "[6]", "[8]")
    outcome = game.outcome()
    assert (ranks(outcome), outcome.winning_team) == ([0, 0], None)
    assert outcome.termination is Termination.NATURAL


def test_a_game_stopped_at_the_turn_limit_is_a_draw() -> None:
    game = started("TicTacToe-v0")
    do(game, "[0]", "[1]")
    outcome = game.outcome(turn_limit=True)
    assert outcome.termination is Termination.TURN_LIMIT
    assert (ranks(outcome), outcome.winning_team) == ([0, 0], None)


def test_a_turn_limit_on_the_last_turn_keeps_the_result_of_the_rules() -> None:
    game = started("TicTacToe-v0")
    do(game, "[0]", "[3]", "[1]", "[4]", "[2]")
    assert game.outcome(turn_limit=True) == game.outcome()
    assert game.outcome(turn_limit=True).winning_team == "Player 0"


def test_ranks_are_the_order_of_the_rewards() -> None:
    game = started("ThreePlayerIPD-v0", 3, num_rounds=1, communication_turns=1)
    do(game, "a", "b", "c")
    do(game, "[1 defect] [2 defect]", "[0 cooperate] [2 cooperate]", "[0 cooperate] [1 defect]")
    outcome = game.outcome()
    assert ranks(outcome) == [0, 2, 1]
    assert outcome.winning_team == "Player 0"


def test_a_winner_is_named_by_a_role_that_it_alone_has() -> None:
    game = started("TruthAndDeception-v0")
    do(game, "a", "b", "c", "d", "e", "[Fact 1]")
    outcome = game.outcome()
    assert [player.role for player in outcome.players] == ["Deceiver", "Guesser"]
    assert outcome.winning_team in ("Deceiver", "Guesser")


def test_a_team_wins_as_a_team() -> None:
    game = started("Taboo-v0-animals", 4, max_rounds=2, max_attempts_per_player=1)
    word = game.observe().text.split("The current word to guess is '")[1].split("'")[0]
    do(game, "A clue.", f"[{word}]", "A clue.", "[wrong]")
    outcome = game.outcome()
    assert [player.team for player in outcome.players] == ["Team 0", "Team 0", "Team 1", "Team 1"]
    assert (ranks(outcome), outcome.winning_team) == ([0, 0, 1, 1], "Team 0")


def test_rules_that_raise_are_a_crash_with_the_traceback_and_not_a_loss() -> None:
    game = started("ConnectFour-v0")
    game.step("[col 0]")
    with pytest.raises(EnvironmentCrash, match=r"ConnectFour-v0 raised .*void") as crash:
        game.step(None)  # type: ignore[arg-type]
    assert "Traceback" in crash.value.traceback
    assert "ConnectFour/env.py" in crash.value.traceback


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), None])
def test_an_end_without_a_reward_for_everybody_is_a_crash(reward: float | None) -> None:
    game = started("TicTacToe-v0")
    do(game, "[0]", "[3]", "[1]", "[4]", "[2]")
    game._state.rewards[1] = reward
    with pytest.raises(EnvironmentCrash, match=r"without a reward for players \[1\]"):
        game.outcome()


def test_a_number_too_long_for_python_is_an_invalid_move_and_not_a_crash() -> None:
    game = started("ConnectFour-v0")
    assert game.step(game.prepare("[" + "9" * 5_000 + "]")).invalid


def test_brackets_are_added_where_textarena_adds_them() -> None:
    assert started("TicTacToe-v0").prepare("4") == "[4]"
    assert started("TicTacToe-v0").prepare("I take [4]") == "I take [4]"
    assert started("SimpleNegotiation-v0").prepare("Hello.") == "Hello."


def test_an_overlong_action_is_clipped_with_its_decision_kept() -> None:
    game = started("TicTacToe-v0")
    prepared = game.prepare("[4]" + "Because it is the centre. " * 1_000)
    assert prepared.startswith("[4]")
    assert len(prepared) <= MAX_CHARACTERS
    assert game.prepare("x" * 100_000) == "[" + "x" * (MAX_CHARACTERS - 2) + "]"


def test_the_talk_of_a_negotiation_reaches_the_opponent() -> None:
    game = started("SimpleNegotiation-v0")
    do(game, "I am rich in wheat. [Offer: 1 Wheat -> 1 Wood]")
    assert "I am rich in wheat." in game.observe().text


def test_resetting_starts_another_game_with_nothing_of_the_last() -> None:
    game = started("SecretMafia-v0", 6, seed=3)
    first = game.observe()
    do(game, "[1]", "[1]", "[1]")
    game.reset(seed=3, num_players=6)
    assert game.observe() == first


def test_what_the_rules_print_stays_off_standard_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    game = started("NewRecruit-v0")
    do(game, "[Propose] AAAAAAAA", "[Propose] ZZ")
    assert capsys.readouterr().out == ""
    assert sys.stdout is not None


def until_out(game: TextArena, action: str, player: int | None = None) -> list[tuple[int, Step]]:
    """The steps in which a player (by default the first to act) says this, until it is out or the
    game is over; the others do what is on offer."""
    steps = []
    rng = random.Random(1)
    for _ in range(80):
        seen = game.observe()
        player = seen.player_index if player is None else player
        own = seen.player_index == player
        step = game.step(game.prepare(action if own else offered(seen, rng)))
        if own:
            steps.append((seen.turn_number, step))
        if step.done or step.eliminated:
            return steps
    raise AssertionError("nobody was thrown out")


@pytest.mark.parametrize(
    ("name", "num_players", "errors", "goes_on"),
    [
        ("SecretMafia-v0", 7, 2, True),
        ("LiarsDice-v0", 4, 2, True),
        ("Poker-v0", 4, 2, True),
        ("PublicGoodsGame-v0", 4, 3, True),
        ("MarketEntryGame-v0", 4, 3, True),
        ("ThreePlayerGOPS-v0", 3, 2, True),
        ("SantoriniBaseFixed-v0", 3, 11, True),
        ("Snake-v0-large", 4, 1, True),
        ("Surround-v0-large", 4, 1, True),
        ("ThreePlayerTicTacToe-v0", 3, 2, False),
        ("TicTacToe-v0", 2, 2, False),
        ("KuhnPoker-v0", 2, 2, False),
        ("NewRecruit-v0", 2, 4, False),
        ("Snake-v0", 2, 1, False),
    ],
)
def test_who_is_thrown_out_for_an_error_is_known_at_once(
    name: str, num_players: int, errors: int, goes_on: bool
) -> None:
    steps = until_out(started(name, num_players), "I cannot decide")

    last = steps[-1][1]
    assert last == Step(done=not goes_on, invalid=True, eliminated=True)
    assert sum(step.invalid for _, step in steps) == errors
    assert not any(step.eliminated for _, step in steps[:-1])


def test_catan_throws_out_for_a_choice_that_is_not_there() -> None:
    game = started("SettlersOfCatan-v0", 4)
    steps = until_out(game, "[99]")
    assert [step.eliminated for _, step in steps] == [False, True]


def test_who_loses_by_the_rules_is_not_thrown_out() -> None:
    game = started("TicTacToe-v0")
    do(game, "[0]", "[3]", "[1]", "[4]")
    assert game.step(game.prepare("[2]")) == Step(done=True)
    mafia = started("SecretMafia-v0", 6)
    rng = random.Random(2)
    while not (step := mafia.step(mafia.prepare(offered(mafia.observe(), rng)))).done:
        assert step.eliminated is False


def test_an_earlier_revision_calls_a_snakes_invalid_move_what_the_rules_do() -> None:
    game = TextArena(name="Snake-v0-large", revision=1)
    game.reset(seed=1, num_players=3)
    assert game.step(game.prepare("north")) == Step(done=False, invalid=False, eliminated=True)
