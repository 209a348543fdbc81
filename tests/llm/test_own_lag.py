"""Time limits and timeouts do not count the time for which our own loop is held."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest

from arena import registry
from arena.core import CallAnswer, CallIntent, Completion, Message, ModelSpec, TimeLimitReached
from arena.llm.clearance import LocalClearance
from arena.llm.client import Client
from arena.llm.costs.prices import PriceTable
from arena.llm.pacing.limits import Limits
from arena.llm.providers.protocol import Answer, Provider, ProviderSettings
from arena.llm.turn import TurnLLM
from tests.clients import client
from tests.servers.openai_server import OpenAIServer, Reply

HELLO: list[Message] = [{"role": "user", "content": "hello there"}]
LIMIT = 1.0
HELD = 1.5


class Log:
    """Keeps the answers."""

    def __init__(self) -> None:
        self.answers: list[CallAnswer] = []

    async def intend(self, intent: CallIntent) -> None:
        assert intent.attempt == 0

    async def answer(self, answer: CallAnswer) -> None:
        self.answers.append(answer)


def model(server: OpenAIServer, *, stream: bool = False) -> ModelSpec:
    return ModelSpec("loop", "openai/loopback", api_base=server.url, stream=stream)


async def asked(
    by: Client, model: ModelSpec, log: Log, time_limit: float | None = LIMIT
) -> Completion:
    clearance = LocalClearance(Limits())
    turn = TurnLLM(by, model, log, clearance=clearance, time_limit=time_limit)
    return await turn.complete(HELLO)


def hold_the_loop(when: Callable[[], bool], answered: threading.Event | None = None) -> None:
    """Hold the running loop as soon as the provider has been asked; one that waits for `answered`
    answers meanwhile."""
    loop = asyncio.get_running_loop()

    def look() -> None:
        if not when():
            loop.call_later(0.001, look)
            return
        if answered is not None:
            answered.set()
        time.sleep(HELD)

    loop.call_soon(look)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_comes_while_the_loop_is_held_is_no_lapse(stream: bool) -> None:
    answered, log = threading.Event(), Log()

    async def main(server: OpenAIServer) -> Completion:
        by = client(timeout=LIMIT, retries=0)
        by.load([model(server, stream=stream)])
        try:
            hold_the_loop(lambda: bool(server.requests), answered)
            return await asked(by, model(server, stream=stream), log)
        finally:
            await by.aclose()

    with OpenAIServer([Reply("in time, all of it", after=answered)]) as server:
        assert asyncio.run(main(server)).text == "in time, all of it"
    [answer] = log.answers
    assert answer.total_ms < LIMIT * 1e3
    assert answer.request_sent_at is not None
    assert answer.response_received_at is not None
    took = (answer.response_received_at - answer.request_sent_at).total_seconds()
    assert took > HELD


@pytest.mark.slow
def test_a_slow_server_is_a_lapse_whether_or_not_the_loop_is_held() -> None:
    never, log = threading.Event(), Log()

    async def main(server: OpenAIServer) -> None:
        by = client(timeout=30.0, retries=0)
        try:
            hold_the_loop(lambda: bool(server.requests))
            await asked(by, model(server), log)
        finally:
            await by.aclose()

    with OpenAIServer([Reply("too late", after=never)]) as server:
        with pytest.raises(TimeLimitReached):
            asyncio.run(main(server))
        never.set()
    [answer] = log.answers
    assert answer.error_class == "TimeLimit"
    assert answer.total_ms >= LIMIT * 1e3


@dataclass
class Plain:
    """A provider of somebody else's, which tells nothing of its connections."""

    answered: threading.Event
    asked: bool = False
    free: bool = True
    prices: PriceTable | None = None
    longest_answer: int | None = None

    def __call__(self, name: str, settings: ProviderSettings) -> Provider:
        return self

    def load(self, models: Iterable[ModelSpec]) -> None: ...
    def check(self, model: ModelSpec) -> None: ...
    async def aclose(self) -> None: ...

    def prepare(self, model: ModelSpec) -> Plain:
        return self

    async def ask(self, messages: Sequence[Message], seed: int | None) -> Answer:
        self.asked = True
        await asyncio.to_thread(self.answered.wait, 20)
        return Answer(Completion("in time", "stop"))


def by_plain(log: Log, *, answers: bool) -> Completion:
    plain = Plain(threading.Event())

    async def main() -> Completion:
        by = Client(plain, policy=registry.policy, timeout=30.0, retries=0)
        hold_the_loop(lambda: plain.asked, plain.answered if answers else None)
        try:
            return await asked(by, ModelSpec("loop", "plain/loopback"), log)
        finally:
            plain.answered.set()

    return asyncio.run(main())


@pytest.mark.slow
def test_a_provider_that_tells_nothing_is_not_charged_with_our_lag() -> None:
    log = Log()
    assert by_plain(log, answers=True).text == "in time"
    assert log.answers[0].total_ms < LIMIT * 1e3


@pytest.mark.slow
def test_nor_is_it_waited_for_without_end() -> None:
    log = Log()
    with pytest.raises(TimeLimitReached):
        by_plain(log, answers=False)
    assert log.answers[0].error_class == "TimeLimit"
