"""The scripted models play: legally in every demo environment, and Secret Mafia ever better."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence

import pytest

from arena.agents.remembering import Remembering
from arena.agents.thinking import Thinking
from arena.core import Agent, CallOptions, Completion, Message, Outcome, Policy
from arena.environments.textarena import TextArena
from arena.llm.scripted import follower, mafia, naive, sharp
from arena.llm.scripted import random as at_random
from arena.llm.scripted.conversation import read
from arena.llm.scripted.policies import rng_of

POLICIES: dict[str, Policy] = {
    "random": at_random.reply,
    "mafia-naive": naive.reply,
    "mafia-follower": follower.reply,
    "mafia-sharp": sharp.reply,
}

GAMES = [
    ("TicTacToe-v0", 2),
    ("ConnectFour-v0", 2),
    ("Nim-v0", 2),
    ("KuhnPoker-v0", 2),
    ("IteratedPrisonersDilemma-v0", 2),
    ("ThreePlayerIPD-v0", 3),
    ("LiarsDice-v0", 3),
    ("Othello-v0", 2),
    ("SimpleNegotiation-v0", 2),
    ("ColonelBlotto-v0", 2),
    ("SecretMafia-v0", 6),
    ("SecretMafia-v0", 8),
]


class Scripted:
    """A model for an agent: a policy, with a seed for every call."""

    def __init__(self, policy: Policy, seed: int) -> None:
        self._policy = policy
        self._seed = seed

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        self._seed += 1
        return Completion(self._policy(messages, rng_of(messages, self._seed)))


def play(
    name: str, seed: int, policies: Sequence[Policy], kind: type = Thinking
) -> tuple[Outcome, int]:
    """A whole game; the outcome, and how many actions the rules refused."""
    environment = TextArena(name=name)
    environment.reset(seed=seed, num_players=len(policies))
    agents: list[Agent] = [kind(prompt="Win.", options={}) for _ in policies]
    models = [Scripted(policy, seed * 10_000 + n * 1_000) for n, policy in enumerate(policies)]
    refused = 0

    async def main() -> Outcome:
        nonlocal refused
        while True:
            seen = environment.observe()
            action = await agents[seen.player_index].act(seen, models[seen.player_index])
            step = environment.step(environment.prepare(action.text))
            refused += step.invalid
            if step.done:
                return environment.outcome()

    return asyncio.run(main()), refused


@pytest.mark.parametrize("kind", [Thinking, Remembering])
@pytest.mark.parametrize(("name", "players"), GAMES)
def test_random_moves_are_legal_in_every_demo_environment(
    name: str, players: int, kind: type
) -> None:
    for seed in range(3):
        _, refused = play(name, seed, [at_random.reply] * players, kind)
        assert refused == 0


@pytest.mark.parametrize("kind", [Thinking, Remembering])
@pytest.mark.parametrize("name", POLICIES)
def test_secret_mafia_is_played_legally_by_every_policy(name: str, kind: type) -> None:
    for seed in range(4):
        _, refused = play("SecretMafia-v0", seed, [POLICIES[name]] * 6, kind)
        assert refused == 0


@pytest.mark.parametrize("name", POLICIES)
def test_other_games_are_played_by_every_policy(name: str) -> None:
    _, refused = play("TicTacToe-v0", 1, [POLICIES[name]] * 2)
    assert refused == 0


def teams(village: Policy, mafia_team: Policy) -> Policy:
    """One policy that plays each team as another."""

    def both(messages: Sequence[Message], rng: random.Random) -> str:
        is_mafia = "Your role: Mafia" in messages[-1]["content"][:300]
        return (mafia_team if is_mafia else village)(messages, rng)

    return both


def village_wins(village: str, mafia_team: str, games: int) -> int:
    policy = teams(POLICIES[village], POLICIES[mafia_team])
    outcomes = [play("SecretMafia-v0", seed, [policy] * 6)[0] for seed in range(games)]
    return sum(outcome.winning_team == "Village" for outcome in outcomes)


@pytest.mark.sweep
@pytest.mark.slow
def test_the_policies_have_clearly_different_strength() -> None:
    games = 40
    as_village = {name: village_wins(name, "random", games) for name in POLICIES}
    assert as_village["random"] < as_village["mafia-follower"] < as_village["mafia-sharp"]
    assert as_village["mafia-naive"] < as_village["mafia-follower"]
    assert as_village["mafia-sharp"] > games / 2

    against_sharp = {name: village_wins("mafia-sharp", name, games) for name in POLICIES}
    assert against_sharp["mafia-sharp"] < against_sharp["mafia-naive"] - games / 5


SCENE = """
[GAME] Welcome to Secret Mafia! You are Player 1.
Your role: Villager
Team: Village
Description: A regular villager.

Players: Player 0, Player 1, Player 2, Player 3, Player 4, Player 5
[GAME] Player 5 was killed during the night.
[GAME] Day breaks. Discuss for 3 rounds, then a vote will follow.
[Player 2] I am the Detective. Player 0 is Mafia.
[Player 3] I trust Player 2. Player 0 looks suspicious.
[Player 0] That is a lie. I am the real Detective, and Player 2 is Mafia.
[GAME] Voting phase - submit one vote in format [X]. Valid: [0], [1], [2], [3], [4]
[Player 4] [2]"""


def test_a_scene_is_read_from_the_text() -> None:
    scene = mafia.see(read([{"role": "user", "content": SCENE}]))
    assert scene is not None
    assert (scene.me, scene.role, scene.players, scene.phase) == (1, "Villager", 6, "vote")
    assert scene.valid == [0, 1, 2, 3, 4]
    assert scene.killed == {5}
    assert scene.claims == {2: {0: True}, 0: {2: True}}
    assert [(line.player, line.accused) for line in scene.said] == [(2, 0), (3, 0), (0, 2), (4, 2)]


def test_the_sharp_one_believes_who_claimed_first() -> None:
    messages: list[Message] = [{"role": "user", "content": SCENE}]
    assert "[0]" in sharp.reply(messages, random.Random(1))
    assert "[2]" in naive.reply(messages, random.Random(1))


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize(
    "text", ["", "hello", "[GAME]", "\n# Your notes\n{", "[GAME] \x00 \ud800 [", "'[x]'"]
)
def test_any_text_gets_a_reply(name: str, text: str) -> None:
    assert isinstance(POLICIES[name]([{"role": "user", "content": text}], random.Random(1)), str)


def test_the_word_of_a_detective_weighs_more_than_a_crowd() -> None:
    crowd = "".join(f"\n[Player {p}] Player 3 looks suspicious." for p in (0, 2, 4))
    before, vote, after = SCENE.partition("\n[Player 3]")
    asked = after[after.index("\n[GAME] Voting") :]
    messages: list[Message] = [{"role": "user", "content": f"{before}{crowd}{asked}"}]
    assert vote
    assert "[0]" in sharp.reply(messages, random.Random(1))
    assert "[3]" in follower.reply(messages, random.Random(1))


REWRITE = "\n\n# Your task: rewrite your notes\nAnswer with one JSON object."


@pytest.mark.parametrize("name", ["mafia-naive", "mafia-follower", "mafia-sharp"])
def test_notes_tell_whom_a_policy_suspects_and_what_was_claimed(name: str) -> None:
    messages: list[Message] = [{"role": "user", "content": SCENE + REWRITE}]

    notes = json.loads(POLICIES[name](messages, random.Random(1)))

    suspicions = notes["suspicions"]
    assert "1" not in suspicions, "itself"
    assert all(0 <= much <= 1 for much in suspicions.values())
    assert len(set(suspicions.values())) > 1
    assert notes["claims"] == {"2": "Detective", "0": "Detective"}
    likeliest = max(suspicions, key=suspicions.__getitem__)
    assert notes["plan"] == f"watch Player {likeliest}"


def test_notes_of_the_first_version_are_as_they_were() -> None:
    asked = (
        f"{SCENE}\n\n# Your notes so far\n{{}}\n\n# What is new\n\n# Your notes, rewritten (JSON)"
    )
    notes = json.loads(sharp.reply([{"role": "user", "content": asked}], random.Random(1)))
    assert (notes["suspicions"], notes["claims"], notes["plan"]) == ({}, {}, "")


def test_what_was_left_out_is_read_from_the_notes() -> None:
    opening, day, rest = SCENE.partition("\n[GAME] Day breaks.")
    assert day
    fact = "Player 5 was killed during the night."
    content = (
        f"{opening}\\n[…] What came before is in your notes.{day}{rest}".replace("\\n", "\n")
        + f'\n\n# Your notes\n{{"facts": ["{fact}"]}}\n\n# Your task: act\nSay something.'
    )
    conversation = read([{"role": "user", "content": content}])
    assert (conversation.facts, conversation.wants_notes) == ((fact,), False)
    assert conversation.text == f"{opening}\n[GAME] {fact}{day}{rest}"
