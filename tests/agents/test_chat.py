"""A game as a chat: nothing that was sent is ever changed, and everything that was seen is told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from arena import registry
from arena.agents.thinking import Thinking
from arena.core import (
    CallOptions,
    Completion,
    Environment,
    Message,
    Observation,
    TimeLimitReached,
    UsageError,
    text_of,
)

PROMPT = "You are a villager."


class Model:
    """Plays at random from all that was seen, and keeps what it was sent."""

    def __init__(self, said: str | None = None) -> None:
        self.asked: list[list[Message]] = []
        self._said = said

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        self.asked.append(list(messages))
        if self._said is not None:
            return Completion(self._said)
        rng = random.Random(len(self.asked))
        return Completion(f"<think>hm</think>{registry.policy('random')(messages, rng)}")


def see(text: str, new: str) -> Observation:
    return Observation(player_index=0, turn_number=0, text=text, new=new)


@pytest.mark.parametrize(("name", "players"), [("SecretMafia-v0", 6), ("TicTacToe-v0", 2)])
def test_the_messages_of_a_turn_begin_with_those_of_the_turn_before(
    name: str, players: int
) -> None:
    environment: Environment = registry.load("environments", name)(name=name)
    environment.reset(seed=7, num_players=players)
    models = [Model() for _ in range(players)]
    agents = [Thinking(prompt=PROMPT, options={"history": "chat"}) for _ in models]
    seen = [""] * players
    for _ in range(60):
        observation = environment.observe()
        player = observation.player_index
        action = asyncio.run(agents[player].act(observation, models[player]))
        seen[player] = observation.text
        if environment.step(environment.prepare(action.text)).done:
            break

    for player, model in enumerate(models):
        for before, after in zip(model.asked, model.asked[1:], strict=False):
            assert after[: len(before)] == before
            [said, new] = after[len(before) :]
            assert said["role"] == "assistant"
            assert "hm" not in text_of(said), "thoughts are not told again"
            assert new["role"] == "user"
        if model.asked:
            told = "".join(text_of(message) for message in model.asked[-1][1:])
            for line in filter(None, seen[player].splitlines()):
                assert line.partition("] ")[2] in told


def test_its_own_turn_is_told_once() -> None:
    model = Model("I vote [3].")
    agent = Thinking(prompt=PROMPT, options={"history": "chat"})
    asyncio.run(agent.act(see("[GAME] Vote.", "[GAME] Vote."), model))
    new = "\n[Player 0] I vote [3].\n[Player 1] Me too."
    asyncio.run(agent.act(see(f"[GAME] Vote.{new}", new), model))
    assert model.asked[-1] == [
        {"role": "system", "content": PROMPT},
        {"role": "user", "content": "[GAME] Vote."},
        {"role": "assistant", "content": "I vote [3]."},
        {"role": "user", "content": "\n[Player 1] Me too."},
    ]


def test_turns_without_an_answer_or_news_are_no_empty_messages() -> None:
    class Slow(Model):
        async def complete(
            self, messages: Sequence[Message], options: CallOptions | None = None
        ) -> Completion:
            answer = await super().complete(messages, options)
            if len(self.asked) == 1:
                raise TimeLimitReached("too slow")
            return answer

    model = Slow("")
    agent = Thinking(prompt="", options={"history": "chat"})
    with pytest.raises(TimeLimitReached):
        asyncio.run(agent.act(see("[GAME] Vote.", "[GAME] Vote."), model))
    for _ in range(2):
        asyncio.run(agent.act(see("[GAME] Vote.", ""), model))
    contents = [text_of(message) for message in model.asked[-1]]
    assert contents == ["[GAME] Vote.", "…", "It is your turn.", "…", "It is your turn."]
    assert [message["role"] for message in model.asked[-1]] == [
        "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip


def test_another_history_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'history'.*expected one of: whole, chat"):
        Thinking(prompt="", options={"history": "none"})
