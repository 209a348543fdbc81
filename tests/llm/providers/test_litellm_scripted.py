"""Scripted models take the path of paid ones; their replies depend on the request alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from arena.core import CallAnswer, CallIntent, Message, ModelSpec, ProviderError, UsageError
from arena.llm.clearance import LocalClearance
from arena.llm.pacing.limits import Limits
from arena.llm.scripted.policies import rng_of, tokens
from arena.llm.turn import TurnLLM
from tests.clients import client

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
        asked = client(policies)
        model = ModelSpec("dice", "scripted/dice", stream=stream)
        llm = TurnLLM(asked, model, log, seed, clearance=LocalClearance(Limits()))
        try:
            return [(await llm.complete(ASKED)).text for _ in range(2)]
        finally:
            await asked.aclose()

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


def test_two_clients_do_not_answer_with_each_others_policies() -> None:
    async def main() -> list[str]:
        model = ModelSpec("x", "scripted/x")
        clearance = LocalClearance(Limits())
        red = client({"x": lambda messages, rng: "red"})
        blue = client({"x": lambda messages, rng: "blue"})
        texts = []
        for asked in (red, blue, red):
            texts.append((await asked.complete(model, ASKED, log=Log(), clearance=clearance)).text)
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


@pytest.mark.parametrize("answer", [None, b"bytes", 7])
def test_a_policy_that_answers_with_no_text_is_a_bug_too(answer: Any) -> None:
    log = Log()
    said = rf"'dice' raised TypeError: it answered with {type(answer).__name__}; expected text"
    with pytest.raises(ProviderError, match=said):
        ask({"dice": lambda messages, rng: answer}, 7, log)
    assert len(log.intents) == len(log.answers) == 1


def test_a_policy_that_ends_the_process_does_not() -> None:
    def leaves(messages: Sequence[Message], rng: random.Random) -> str:
        raise SystemExit("bye")

    with pytest.raises(ProviderError, match=r"'dice' raised SystemExit: bye \(test_litellm_script"):
        ask({"dice": leaves}, 7, Log())


def test_an_unknown_policy_is_said_and_nothing_is_sent() -> None:
    log = Log()
    model = ModelSpec("typo", "scripted/radnom")
    with pytest.raises(UsageError, match=r"unknown scripted model 'radnom'; did you mean 'random'"):
        asyncio.run(client().complete(model, ASKED, log=log, clearance=LocalClearance(Limits())))
    assert log.intents == []
