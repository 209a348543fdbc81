"""Faults of TextArena's rules as they are upstream, and the twins that are without them."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from arena.core import EnvironmentCrash, UsageError
from arena.environments.textarena import TextArena

VICTIM_LIVES = "the victim of a night lives"
DEAD_AGAIN = "a dead player dies again"
OTHER_WINNER = "a game that is over ends again"


def kuhn(name: str, *actions: str) -> TextArena:
    game = TextArena(name=name, max_rounds=1)
    game.reset(seed=5, num_players=2)
    for action in actions:
        done = game.step(game.prepare(action)).done
    assert done
    return game


def chips(game: TextArena) -> tuple[int, int]:
    found = game._rules.state.game_state["player_chips"]
    return found[0], found[1]


# Player 1 begins, with the Q; player 0 has the J.
@pytest.mark.parametrize(
    ("actions", "won"),
    [
        ("[check] [check]", 1),
        ("[bet] [fold]", 1),
        ("[bet] [call]", 2),
        ("[check] [bet] [call]", 2),
        ("[check] [bet] [fold]", -1),
    ],
)
def test_a_bet_costs_a_chip_in_the_mended_kuhn_poker_and_none_upstream(
    actions: str, won: int
) -> None:
    assert chips(kuhn("KuhnPoker-v0-mended", *actions.split())) == (-won, won)
    # One chip moves, and both have paid for a round that is not played.
    assert chips(kuhn("KuhnPoker-v0", *actions.split())) == ((-2, 0) if won > 0 else (0, -2))


def test_the_last_round_of_the_mended_kuhn_poker_is_the_last() -> None:
    dealt = [
        kuhn(name, "[bet]", "[call]").observe().text.count("Starting round 2 out of 1")
        for name in ("KuhnPoker-v0", "KuhnPoker-v0-mended")
    ]
    assert dealt[0] > 0
    assert dealt[1] == 0


def test_a_refused_bet_costs_nothing() -> None:
    game = TextArena(name="KuhnPoker-v0-mended")
    game.reset(seed=5, num_players=2)
    game.step(game.prepare("[bet]"))
    assert game.step(game.prepare("[bet]")).invalid
    assert chips(game) == (-1, -2)


def test_one_check_ends_no_round_of_the_mended_indian_poker() -> None:
    rounds = []
    for name in ("IndianPoker-v0", "IndianPoker-v0-mended"):
        game = TextArena(name=name)
        game.reset(seed=1, num_players=2)
        for _ in range(3):
            game.step(game.prepare("[check]"))
        rounds.append(game._rules.state.game_state["current_round"])
    assert rounds == [3, 2]


def test_who_has_no_chips_left_has_lost_the_mended_indian_poker() -> None:
    ends = []
    for name in ("IndianPoker-v0", "IndianPoker-v0-mended"):
        game = TextArena(name=name, max_rounds=9, starting_chips=5)
        game.reset(seed=1, num_players=2)
        game.step(game.prepare("[bet 4]"))
        ends.append((game.step(game.prepare("[call]")).done, min(chips(game))))
    assert ends == [(False, -1), (True, 0)]


def test_remaining_cash_counts_in_the_mended_high_society() -> None:
    """Player 0 wins nine of ten auctions, player 1 the other; who pays much keeps little."""
    winners = set()
    for seed in range(30):
        ends = []
        for name in ("HighSociety-v0", "HighSociety-v0-mended"):
            game = TextArena(name=name)
            game.reset(seed=seed, num_players=2)
            rng = random.Random(seed)
            done = False
            while not done:
                player = game.observe().player_index
                money = game._rules.state.game_state["player_money"][player]
                done = game.step(game.prepare(f"[{rng.choice(money)}]")).done
            state = game._rules.state.game_state
            ends.append(game.outcome().winning_team)
            worth = {p: state["player_prestige"][p] for p in (0, 1)}
            if name == "HighSociety-v0":
                worth = {p: worth[p] + sum(state["player_money"][p]) for p in (0, 1)}
        best = max(worth.values())
        leaders = [p for p in worth if worth[p] == best]
        assert ends[1] == (f"Player {leaders[0]}" if len(leaders) == 1 else None)
        winners.add(ends[0] == ends[1])
    assert winners == {True, False}


def mafia(name: str, seed: int, vote: Callable[[random.Random, list[int]], str]) -> set[str]:
    """What of the faults a game of eight with such votes shows."""
    game = TextArena(name=name, discussion_rounds=1)
    game.reset(seed=seed, num_players=8)
    rules, state, rng = game._rules, game._rules.state, random.Random(seed)
    found, over = set(), []
    announce, end = rules._eliminate_player, state.set_winners

    def eliminate(player: int, reason: str) -> None:
        if player not in state.game_state["alive_players"]:
            found.add(DEAD_AGAIN)
        announce(player, reason)

    def win(*, player_ids: list[int], reason: str) -> None:
        over.append(reason)
        end(player_ids=player_ids, reason=reason)

    rules._eliminate_player, state.set_winners = eliminate, win
    done = False
    while not done:
        phase = rules.phase.name
        done = game.step(game.prepare(vote(rng, state.game_state["alive_players"]))).done
        dawn = phase.startswith("NIGHT") and rules.phase.name == "DAY_DISCUSSION"
        if dawn and state.game_state["pending_elimination"] is not None:
            found.add(VICTIM_LIVES)
    if len(over) > 1:
        found.add(OTHER_WINNER)
    return found


def careless(rng: random.Random, alive: list[int]) -> str:
    return "nobody" if rng.random() < 0.3 else f"[{rng.choice(alive)}]"


def test_the_faults_of_secret_mafia_show_upstream_and_not_in_the_mended_twin() -> None:
    upstream = set[str]().union(*(mafia("SecretMafia-v0", seed, careless) for seed in range(60)))
    assert upstream == {VICTIM_LIVES, DEAD_AGAIN, OTHER_WINNER}
    for seed in range(60):
        assert mafia("SecretMafia-v0-mended", seed, careless) == set()


def last_vote(name: str) -> TextArena:
    """A game in which one of the Mafia and two villagers vote, a villager last: the others have
    voted for the Mafia."""
    for seed in range(200):
        game = TextArena(name=name, discussion_rounds=1)
        game.reset(seed=seed, num_players=6)
        rules, alive = game._rules, game._rules.state.game_state["alive_players"]
        rng, done = random.Random(seed), False
        while not done and not (rules.phase.name == "DAY_VOTING" and len(alive) == 3):
            others = [p for p in alive if rules.phase.name != "NIGHT_MAFIA"
                      or rules.player_roles[p] != "Mafia"]  # fmt: skip
            others = [p for p in others if p != game.observe().player_index]
            done = game.step(game.prepare(f"[{rng.choice(others)}]")).done
        voters = [game.observe().player_index, *rules.next_player_ids[::-1]]
        guilty = [p for p in alive if rules.player_roles[p] == "Mafia"]
        if not done and len(guilty) == 1 and voters[-1] not in guilty:
            for _ in voters[:-1]:
                game.step(game.prepare(f"[{guilty[0]}]"))
            return game
    raise AssertionError("no such game")


def test_a_game_that_is_over_is_not_won_again() -> None:
    for name, winner in (("SecretMafia-v0", "Village"), ("SecretMafia-v0-mended", "Mafia")):
        game = last_vote(name)
        assert not game.step(game.prepare("nobody")).done
        assert game.step(game.prepare("nobody")).done  # the Mafia is as many as the village now
        assert game.outcome().winning_team == winner
        assert game.books().late_results == (winner == "Village")


def test_nobody_is_chosen_at_night_who_was_not_offered() -> None:
    for name, refused in (("SecretMafia-v0", False), ("SecretMafia-v0-mended", True)):
        game = TextArena(name=name)
        game.reset(seed=1, num_players=6)
        me = game.observe().player_index
        assert f"[{me}]" not in game.observe().text.rpartition("Valid targets: ")[2]
        assert game.step(game.prepare(f"[{me}]")).invalid is refused


def test_a_vote_for_who_dies_for_an_error_afterwards_is_dropped() -> None:
    game = TextArena(name="SecretMafia-v0-mended", discussion_rounds=1)
    game.reset(seed=3, num_players=8)
    rules, state = game._rules, game._rules.state
    while rules.phase.name != "DAY_VOTING":
        me = game.observe().player_index
        victim = next(p for p in state.game_state["alive_players"]
                      if p != me and rules.player_roles[p] == "Villager")  # fmt: skip
        game.step(game.prepare(f"[{victim}]"))
    *others, last = [*rules.next_player_ids[::-1]]
    voting = [game.observe().player_index, *others]
    for _ in voting:
        game.step(game.prepare(f"[{last}]"))
    assert set(state.game_state["votes"].values()) == {last}
    for _ in range(2):
        game.step(game.prepare("nobody"))
    text = game.observe().text
    assert f"Player {last} has been eliminated by making an invalid move." in text
    assert f"Player {last} was eliminated by vote" not in text
    assert "No consensus - nobody was eliminated." in text


def test_a_twin_has_a_version_of_its_own_and_names_what_it_is_the_twin_of() -> None:
    upstream = TextArena(name="KuhnPoker-v0-long").spec
    twin = TextArena(name="KuhnPoker-v0-long-mended").spec
    assert (upstream.twin, twin.twin) == (twin.name, upstream.name)
    assert twin.version == f"{upstream.version}+mended.1"
    assert len(upstream.faults) == 2
    assert twin.faults == ()
    assert TextArena(name="KuhnPoker-v0-long-mended", max_rounds=2).spec.options == {
        "max_rounds": 2
    }


def test_rules_that_nobody_mended_have_no_twin() -> None:
    assert TextArena(name="Nim-v0").spec.twin is None
    with pytest.raises(UsageError, match="Nim-v0 has no mended twin"):
        TextArena(name="Nim-v0-mended")


def test_a_village_without_discussion_raises_on_the_first_day() -> None:
    game = TextArena(name="SecretMafia-v0-mended", discussion_rounds=0)
    game.reset(seed=1, num_players=6)
    with pytest.raises(EnvironmentCrash, match="IndexError"):
        night(game)


def night(game: TextArena) -> None:
    """Everybody chooses the first of whom they are offered."""
    while True:
        asked = game.observe().text.rpartition("[GAME]")[2]
        game.step(game.prepare(asked[asked.index("[") :][:3]))
