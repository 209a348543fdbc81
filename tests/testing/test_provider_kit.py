"""The kit for providers passes LiteLLM, and finds the promises that a provider breaks."""

from __future__ import annotations

import asyncio
import os
import random
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.core import Completion, Message, ModelSpec, Usage, UsageError
from arena.llm.costs.prices import Prices, PriceTable
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import Answer, ProviderSettings
from arena.testing import ConformanceError, check_provider
from tests.servers.openai_server import OpenAIServer

MODEL, UNKNOWN = ModelSpec("mine", "mine/small"), ModelSpec("typo", "mine/smal")


# A call can be cancelled between the moment LiteLLM makes a coroutine and the one it awaits it.
CUT_OFF = pytest.mark.filterwarnings("ignore:coroutine '.*' was never awaited:RuntimeWarning")


@CUT_OFF
@pytest.mark.parametrize("stream", [False, True])
def test_litellm_keeps_the_protocol(stream: bool) -> None:
    with OpenAIServer(["I vote [3]"]) as server:
        check_provider(
            LiteLLM,
            model=ModelSpec("loop", "openai/loopback", api_base=server.url, stream=stream),
            unknown=ModelSpec("typo", "nobody/knows"),
        )


@CUT_OFF
def test_litellm_keeps_it_for_scripted_models() -> None:
    check_provider(
        LiteLLM,
        model=ModelSpec("random", "scripted/random"),
        unknown=ModelSpec("typo", "scripted/radnom"),
        policy=registry.policy,
    )


class Good:
    """Keeps every promise."""

    free = False
    prices = PriceTable((Prices(1e-6, 2e-6),))
    longest_answer = 100

    def __init__(self, settings: ProviderSettings) -> None: ...

    def load(self, models: Iterable[ModelSpec]) -> None: ...

    def check(self, model: ModelSpec) -> None:
        if model != MODEL:
            raise UsageError("unknown")

    def prepare(self, model: ModelSpec) -> Good:
        self.check(model)
        return self

    async def ask(self, messages: list[Message], seed: int | None) -> Any:
        await asyncio.sleep(0)
        return Answer(Completion("[1]", "stop", Usage(1, 1)), "mine", {"id": "x"})

    async def aclose(self) -> None: ...


def test_a_good_one_passes() -> None:
    check_provider(Good, model=MODEL, unknown=UNKNOWN)


def answering(answer: Any) -> Callable[..., Any]:
    async def ask(self: Good, messages: list[Message], seed: int | None) -> Any:
        return answer

    return ask


async def writing(self: Good, messages: list[Message], seed: int | None) -> Answer:
    messages[0]["content"] = ""
    return Answer(Completion(""))


async def drawing(self: Good, messages: list[Message], seed: int | None) -> Answer:
    return Answer(Completion(str(random.random())))


async def exporting(self: Good, messages: list[Message], seed: int | None) -> Answer:
    os.environ["MINE_BASE"] = "x"
    return Answer(Completion(""))


async def ignoring(self: Good, messages: list[Message], seed: int | None) -> Answer:
    warnings.filterwarnings("ignore", "mine")
    return Answer(Completion(""))


async def stubborn(self: Good, messages: list[Message], seed: int | None) -> Answer:
    try:
        await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        raise ValueError("cut") from None
    return Answer(Completion(""))


class Shared:
    """Connections that all of the providers have."""

    open = True


async def shared(self: Good, messages: list[Message], seed: int | None) -> Answer:
    await asyncio.sleep(0.01)
    if not Shared.open:
        raise ConformanceError("expected a call of another provider not to be cut")
    return Answer(Completion(""))


async def close_all(self: Good) -> None:
    Shared.open = False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"check": lambda self, model: None}, r"took the model 'mine/smal'; expected a UsageError"),
        ({"free": "no"}, "`free` to be a bool"),
        ({"prices": 0.5}, r"`prices` to be a PriceTable or None, found 0\.5"),
        ({"longest_answer": 0}, "`longest_answer` to be a number of tokens or None, found 0"),
        ({"ask": answering("[1]")}, r"an Answer, found '\[1\]'"),
        ({"ask": answering(Answer(Completion(None)))}, "text, found None"),  # type: ignore[arg-type]
        ({"ask": answering(Answer(Completion("", usage=Usage(cost=1.0))))}, "without dollars"),
        ({"ask": answering(Answer(Completion("", usage=Usage(-1))))}, "counts of tokens"),
        ({"ask": answering(Answer(Completion(""), response={"x": Path()}))}, "response as JSON"),
        ({"ask": writing}, "the messages to be left as they were"),
        ({"ask": drawing}, "the global random state to be left"),
        ({"ask": exporting}, "the environment to be left"),
        ({"ask": ignoring}, "the warning filters to be left"),
        ({"ask": stubborn}, "a request that is cancelled to be cancelled"),
        ({"ask": shared, "aclose": close_all}, "not to be cut"),
    ],
)
def test_a_promise_that_is_broken_is_found(
    changes: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINE_BASE", "")
    broken = type("Broken", (Good,), changes)
    with warnings.catch_warnings(), pytest.raises(ConformanceError, match=said):
        check_provider(broken, model=MODEL, unknown=UNKNOWN)
