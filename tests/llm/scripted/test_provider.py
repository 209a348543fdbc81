"""Scripted models take the path of paid ones; their replies depend on the request alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from arena.core import CallAnswer, CallIntent, Message, ModelSpec, Policy, ProviderError, UsageError
from arena.llm.clearance import LocalClearance
from arena.llm.client import LiteLLMClient
from arena.llm.pacing.limits import Limits
from arena.llm.scripted.provider import rng_of, tokens
from arena.llm.turn import TurnLLM

ASKED: list[Message] = [{"role": "user", "content": "what now?"}]


class Log:
    def __init__(self) -> None:
        self.intents: list[CallIntent] = []
        self.answers: list[CallAnswer] = []

    async def intend(self, intent: CallIntent) -> None:
        self.intents.append(intent)

    async def answer(self, answer: CallAnswer) -> None:
        self.answers.append(answer)


def dice(messages: Sequence[Message], rng: random.Random) -> str:
    return f"I throw a {rng.randint(1, 10**9)} and say no more"


def ask(policies: Any, seed: int | None, log: Log, *, stream: bool = False) -> list[str]:
    async def main() -> list[str]:
        client = LiteLLMClient(scripted=policies)
        model = ModelSpec("dice", "scripted/dice", stream=stream)
        llm = TurnLLM(client, model, log, seed, clearance=LocalClearance(Limits()))
        try:
            return [(await llm.complete(ASKED)).text for _ in range(2)]
        finally:
            await client.aclose()

    return asyncio.run(main())


@pytest.mark.slow
def test_the_same_request_has_the_same_reply() -> None:
    log = Log()
    first = ask({"dice": dice}, 7, log)
    assert first == ask({"dice": dice}, 7, Log())
    assert first != ask({"dice": dice}, 8, Log())
    assert first[0] != first[1], "every call of a turn has a seed of its own"
    seed = log.intents[0].request["seed"]
    assert first[0] == dice(ASKED, rng_of(ASKED, seed)), "the record is enough to know the reply"


def test_a_reply_is_recorded_like_any_other_and_costs_nothing() -> None:
    log = Log()
    [text, _] = ask({"dice": dice}, 7, log)
    answer = log.answers[0]
    assert answer.text == text
    assert answer.finish_reason == "stop"
    assert answer.usage.prompt_tokens == tokens(ASKED[0]["content"]) == 3
    assert answer.usage.completion_tokens == tokens(text)
    assert answer.usage.cost == 0.0
    assert log.intents[0].model == "scripted/dice"


def test_a_scripted_model_can_be_streamed() -> None:
    log = Log()
    assert ask({"dice": dice}, 7, log, stream=True) == ask({"dice": dice}, 7, Log())
    assert log.answers[0].first_token_ms is not None
    assert log.answers[0].usage.cost == 0.0
    assert log.answers[0].usage.completion_tokens is not None


def test_policies_may_come_from_a_function() -> None:
    def find(name: str) -> Policy:
        assert name == "dice"
        return dice

    assert ask(find, 7, Log()) == ask({"dice": dice}, 7, Log())


def test_two_clients_do_not_answer_with_each_others_policies() -> None:
    async def main() -> list[str]:
        model = ModelSpec("x", "scripted/x")
        clearance = LocalClearance(Limits())
        red = LiteLLMClient(scripted={"x": lambda messages, rng: "red"})
        blue = LiteLLMClient(scripted={"x": lambda messages, rng: "blue"})
        texts = []
        for client in (red, blue, red):
            texts.append((await client.complete(model, ASKED, log=Log(), clearance=clearance)).text)
        await red.aclose()
        return texts

    assert asyncio.run(main()) == ["red", "blue", "red"]


def test_a_policy_that_raises_is_a_bug_and_not_tried_again() -> None:
    def broken(messages: Sequence[Message], rng: random.Random) -> str:
        raise ZeroDivisionError("oops")

    log = Log()
    with pytest.raises(ProviderError, match=r"'dice' raised ZeroDivisionError: oops"):
        ask({"dice": broken}, 7, log)
    assert len(log.intents) == len(log.answers) == 1


def test_an_unknown_policy_is_said_with_the_known_ones() -> None:
    log = Log()
    with pytest.raises(UsageError, match=r"unknown scripted model 'dice'; known: nice"):
        ask({"nice": dice}, 7, log)
    assert log.intents == []
