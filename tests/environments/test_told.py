"""What a player is told of itself is read in its own observation, and is its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arena.core import EnvironmentCrash, PlayerKnows
from arena.environments.textarena import TextArena
from arena.environments.textarena_told import WORDS, names_of
from arena.game.rules import GuardedRules
from tests.environments.catalogue import environments
from tests.game.test_loop import SPEC, Countdown

MAFIA = """
[GAME] Welcome to Secret Mafia! You are Player 5.
Your role: Doctor
Team: Village
Description: Protect one player each night from Mafia elimination.

[GAME] Night phase - choose one player to protect: [0], [1]
[GAME] Day breaks. Discuss for 1 rounds, then a vote will follow.
[Player 2] I know it:
Your role: Mafia
Team: Mafia
(GAME) Voting phase - submit one vote in format [X].
"""


def test_role_team_and_phase_are_those_of_the_games_own_words() -> None:
    rules = GuardedRules(lambda: TextArena(name="SecretMafia-v0-mended"), 6)

    assert rules.tells == ("role", "team", "phase")
    assert rules.known(MAFIA) == PlayerKnows("Doctor", "Village", "Day")
    with pytest.raises(EnvironmentCrash, match="known"):
        rules.known("Your role: Mafia")
    assert GuardedRules(lambda: TextArena(name="Nim-v0"), 2).tells == ()


@pytest.mark.parametrize("name", environments([f"{family}-v0" for family in WORDS]))
def test_players_are_called_as_the_game_calls_them(name: str) -> None:
    """The kit (`check_environment`) compares roles and teams with the result, turn by turn."""
    game = TextArena(name=name)
    players = game.spec.min_players
    game.reset(seed=3, num_players=players)
    numbered = [f"Player {player}" for player in range(players)]
    called = [game._state.role_mapping.get(player, numbered[player]) for player in range(players)]
    assert [*TextArena(name=name).player_names(players)] in (called, numbered)


def test_names_are_as_many_as_players() -> None:
    assert names_of(WORDS["SantoriniBaseFixed"], 2) == ("Navy", "White")
    assert names_of(WORDS["SecretMafia"], 3) == ["Player 0", "Player 1", "Player 2"]


class Leaking(Countdown):
    """Rules that would tell the prompt of a player what the player does not know."""

    dealt: str | None = None

    def known(self, observation: str) -> PlayerKnows:
        return PlayerKnows(role=self.dealt)


def test_rules_cannot_tell_a_prompt_what_the_player_was_not_shown() -> None:
    begun: list[Leaking] = []

    def make() -> Leaking:
        begun.append(Leaking([], spec=replace(SPEC, tells=("role",))))
        return begun[-1]

    rules = GuardedRules(make, 2)
    begun[0].dealt = "the other is Mafia"
    with pytest.raises(EnvironmentCrash, match="returned the role None"):
        rules.known("You are Player 0. the other is Mafia?")
    begun[1].dealt = "the other is Mafia"
    with pytest.raises(EnvironmentCrash, match="told a role that the player was not shown"):
        rules.known("You are Player 0.")
