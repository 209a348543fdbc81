"""The promises of `arena.llm.providers.protocol`, as a check that anybody's provider can be put to.

from arena.testing import check_provider

def test_my_provider_keeps_the_protocol():
    check_provider(
        MyProvider,
        model=ModelSpec("mine", "mine/small"),
        unknown=ModelSpec("typo", "mine/smal"),
    )
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from arena.core import Message, ModelSpec, Policy, UsageError
from arena.llm.costs.prices import PriceTable
from arena.llm.providers.protocol import (
    Answer,
    Endpoint,
    Provider,
    ProviderFactory,
    ProviderSettings,
)
from arena.testing.conformance import ConformanceError

_AT_ONCE = 8
_ASKED: Sequence[Message] = (
    {"role": "system", "content": "You play a game."},
    {"role": "user", "content": "It is your turn.\x00 \U0001f600 €"},
)


def no_policy(name: str) -> Policy:
    """For providers that answer for no scripted model."""
    raise UsageError(f"unknown scripted model {name!r}")


def check_provider(
    factory: ProviderFactory,
    *,
    model: ModelSpec,
    unknown: ModelSpec,
    policy: Callable[[str], Policy] = no_policy,
    timeout: float = 30.0,
) -> None:
    """Asks `model` some twenty times, through several providers, in two event loops; `unknown` is
    one that is to be refused. Raises ConformanceError with what was found and what was expected.
    """
    name = getattr(factory, "__name__", repr(factory))
    settings = ProviderSettings(timeout, policy)
    before = _marks()
    _check_refused(name, factory(settings), unknown)
    kept = factory(settings)
    for _ in range(2):
        asyncio.run(_check_loop(name, factory, settings, kept, model))
    for what, now in _marks().items():
        _expect(now == before[what], f"{name}: {what} to be left as it was")


def _check_refused(name: str, provider: Provider, unknown: ModelSpec) -> None:
    for refuse in (provider.check, provider.prepare):
        try:
            refuse(unknown)
        except UsageError:
            continue
        raise ConformanceError(
            f"{name} took the model {unknown.litellm_model!r}; expected a UsageError from "
            "`check` and from `prepare`"
        )


async def _check_loop(
    name: str,
    factory: ProviderFactory,
    settings: ProviderSettings,
    kept: Provider,
    model: ModelSpec,
) -> None:
    """`kept` has been closed in another event loop before, or is new."""
    other = factory(settings)
    for provider in (kept, other):
        provider.check(model)
        provider.load([model])
        _check_endpoint(name, provider.prepare(model))
    endpoint = kept.prepare(model)
    _check_answer(name, await _ask(name, other.prepare(model)))
    calls = [asyncio.create_task(_ask(name, endpoint)) for _ in range(_AT_ONCE)]
    # Some of them are on their way.
    await asyncio.sleep(0)
    await other.aclose()
    for answer in await asyncio.gather(*calls):
        _check_answer(name, answer)
    _check_answer(name, await _ask(name, other.prepare(model)))
    await _check_cancelled(name, endpoint)
    for provider in (kept, other):
        await provider.aclose()


def _check_endpoint(name: str, endpoint: Endpoint) -> None:
    _expect(isinstance(endpoint.free, bool), f"{name}: `free` to be a bool")
    _expect(
        endpoint.prices is None or isinstance(endpoint.prices, PriceTable),
        f"{name}: `prices` to be a PriceTable or None, found {endpoint.prices!r}",
    )
    longest = endpoint.longest_answer
    _expect(
        longest is None or (isinstance(longest, int) and longest > 0),
        f"{name}: `longest_answer` to be a number of tokens or None, found {longest!r}",
    )


async def _ask(name: str, endpoint: Endpoint) -> Answer:
    messages = deepcopy([*_ASKED])
    answer = await endpoint.ask(messages, None)
    _expect(messages == [*_ASKED], f"{name}: the messages to be left as they were")
    return answer


def _check_answer(name: str, answer: Answer) -> None:
    _expect(isinstance(answer, Answer), f"{name}: an Answer, found {answer!r:.200}")
    completion, usage = answer.completion, answer.completion.usage
    _expect(isinstance(completion.text, str), f"{name}: text, found {completion.text!r:.200}")
    _expect(usage.cost is None, f"{name}: a usage without dollars, found {usage}")
    counts = (
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cached_tokens,
        usage.reasoning_tokens,
    )
    _expect(
        all(count is None or (isinstance(count, int) and count >= 0) for count in counts),
        f"{name}: counts of tokens, or None where nobody said, found {usage}",
    )
    if answer.response is not None:
        try:
            json.dumps(dict(answer.response), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ConformanceError(f"{name}: expected a response as JSON: {error}") from error


async def _check_cancelled(name: str, endpoint: Endpoint) -> None:
    task = asyncio.create_task(_ask(name, endpoint))
    await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=5.0)
    _expect(bool(done), f"{name}: a request that is cancelled to end")
    _expect(
        task.cancelled() or task.exception() is None,
        f"{name}: a request that is cancelled to be cancelled, found {done}",
    )


def _marks() -> dict[str, Any]:
    """What of the process belongs to whoever runs it."""
    return {
        "the global random state": random.getstate(),
        "the environment": dict(os.environ),
        "the warning filters": list(warnings.filters),
    }


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise ConformanceError(f"expected {expected}")
