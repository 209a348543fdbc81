"""Secret Mafia through the adapter: roles, votes and what an invalid vote costs."""

from __future__ import annotations

import random

from arena.core import Termination
from arena.environments.textarena import TextArena

TEAMS = {"Mafia": "Mafia", "Doctor": "Village", "Detective": "Village", "Villager": "Village"}


def played(seed: int, num_players: int = 6) -> TextArena:
    game = TextArena(name="SecretMafia-v0", discussion_rounds=1)
    game.reset(seed=seed, num_players=num_players)
    rng = random.Random(seed)
    for _ in range(300):
        game.observe()
        if game.step(game.prepare(f"[Player {rng.randrange(num_players)}]")).done:
            return game
    raise AssertionError("Secret Mafia did not end")


def test_roles_and_teams_are_the_real_ones() -> None:
    outcome = played(1).outcome()
    roles = sorted(str(player.role) for player in outcome.players)
    assert roles == ["Detective", "Doctor", "Mafia", "Mafia", "Villager", "Villager"]
    assert all(player.team == TEAMS[str(player.role)] for player in outcome.players)


def test_the_winning_team_is_the_one_whose_players_were_rewarded() -> None:
    winners = set()
    for seed in range(40):
        outcome = played(seed).outcome()
        first = {player.team for player in outcome.players if player.rank == 0}
        assert first == {outcome.winning_team}
        assert all((p.reward == 1) == (p.rank == 0) for p in outcome.players)
        assert str(outcome.winning_team) in outcome.reason
        winners.add(outcome.winning_team)
    assert winners == {"Mafia", "Village"}


def test_a_vote_in_the_form_that_the_prompt_asks_for_is_seen_by_the_others() -> None:
    game = TextArena(name="SecretMafia-v0")
    game.reset(seed=1, num_players=6)
    voter = game.observe()
    target = voter.text.split("Valid targets: [")[1][0]
    game.step(game.prepare(f"[Player {target}]"))
    partner = game.observe()
    assert partner.text.endswith(f"\n[Player {voter.player_index}] [{target}]")


def test_a_vote_before_a_long_explanation_counts() -> None:
    game = TextArena(name="SecretMafia-v0")
    game.reset(seed=1, num_players=6)
    target = game.observe().text.split("Valid targets: [")[1][0]
    prepared = game.prepare(f"[Player {target}] " + "because " * 500)
    assert len(prepared) == 1_000
    assert not game.step(prepared).invalid


def test_the_second_invalid_vote_eliminates_and_the_game_goes_on() -> None:
    game = TextArena(name="SecretMafia-v0")
    game.reset(seed=1, num_players=8)
    offender = game.observe().player_index
    assert [game.step(game.prepare("nobody")) for _ in range(2)][1].invalid
    after = game.observe()
    assert after.player_index != offender
    assert f"Player {offender} has been eliminated by making an invalid move." in after.text


def test_an_invalid_move_that_ends_the_game_is_the_termination_of_its_losers() -> None:
    game = TextArena(name="SecretMafia-v0")
    game.reset(seed=1, num_players=6)
    for _ in range(4):  # both Mafia players, at night, twice each
        step = game.step(game.prepare("I abstain."))
    assert step.done
    outcome = game.outcome()
    assert outcome.termination is Termination.INVALID_ACTION
    assert outcome.winning_team == "Village"
