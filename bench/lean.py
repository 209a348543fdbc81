"""What a call costs over loopback HTTP, in CPU of the client's process: the lean path beside
LiteLLM, beside bare aiohttp, beside itself when it streams, and LiteLLM's path beside what it was.

Every lane sends the messages of the same recorded games, with as many in flight; the server has a
process of its own and answers at once. No lane records anything: `bench.whole` measures all of it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from arena import registry
from arena.core import Message, ModelSpec
from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.providers.litellm import LiteLLM
from arena.llm.providers.protocol import ProviderSettings
from arena.llm.providers.stopwatch import timed
from bench.earlier import BEFORE_LEAN, NoHistory, earlier
from bench.measure import Row, Sample, median, ratios
from bench.server import LoopbackServer
from bench.tournaments import conversations
from bench.workers import Workers

PART = "lean"
MODEL = "openai/gpt-4o-mini"
TIMEOUT = 120.0
# What the arena sends beside the messages.
PARAMS = {"temperature": 0.7, "max_tokens": 400}

Ask = Callable[[list[Message]], Awaitable[object]]
Lane = Callable[[str], AbstractAsyncContextManager[Ask]]


@dataclass(frozen=True, slots=True)
class Size:
    """How many calls are made, by LiteLLM and without it, after as many as `warm`."""

    calls: int
    by_litellm: int
    warm: int
    in_flight: int
    repetitions: int


# Many short repetitions: the lanes of one are a few seconds apart, and a machine changes.
FULL = Size(calls=2_000, by_litellm=200, warm=100, in_flight=32, repetitions=15)
TOY = Size(calls=8, by_litellm=4, warm=2, in_flight=2, repetitions=1)


@asynccontextmanager
async def aiohttp_alone(url: str) -> AsyncIterator[Ask]:
    """What anyone would write with aiohttp, with the headers that the arena sends."""
    import aiohttp

    headers = {"authorization": "Bearer none", "accept": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(messages: list[Message]) -> object:
            body = {"model": "gpt-4o-mini", "messages": messages, **PARAMS}
            async with session.post(
                f"{url}/chat/completions", json=body, headers=headers
            ) as response:
                return await response.json()

        yield ask


@asynccontextmanager
async def litellm_alone(url: str) -> AsyncIterator[Ask]:
    """`litellm.acompletion` and nothing else."""
    LiteLLM(_settings()).load()
    import litellm

    async def ask(messages: list[Message]) -> object:
        return await litellm.acompletion(
            model=MODEL,
            messages=messages,
            api_base=url,
            api_key="none",
            max_retries=0,
            timeout=TIMEOUT,
            **PARAMS,
        )

    yield ask
    await litellm.close_litellm_async_clients()
    litellm.in_memory_llm_clients_cache.flush_cache()


@asynccontextmanager
async def endpoint(url: str, *, stream: bool = False) -> AsyncIterator[Ask]:
    """The arena's provider, timed as a run times it."""
    provider, lag = LiteLLM(_settings()), LoopLag()
    model = ModelSpec(
        name="m", litellm_model=MODEL, api_base=url, params=dict(PARAMS), stream=stream
    )
    prepared = provider.prepare(model)

    async def ask(messages: list[Message]) -> object:
        async with timed(lag, most=TIMEOUT):
            return await prepared.ask(messages, None)

    yield ask
    await provider.aclose()


def streamed(url: str) -> AbstractAsyncContextManager[Ask]:
    return endpoint(url, stream=True)


@asynccontextmanager
async def fallback(url: str) -> AsyncIterator[Ask]:
    """Texts sent as parts, which go through LiteLLM."""
    async with endpoint(url) as ask:

        async def in_parts(messages: list[Message]) -> object:
            return await ask(
                [
                    {"role": one["role"], "content": [{"type": "text", "text": one["content"]}]}
                    for one in messages
                ]
            )

        yield in_parts


def _settings() -> ProviderSettings:
    return ProviderSettings(TIMEOUT, registry.policy)


def asking(
    lane: Lane, url: str, sent: Sequence[list[Message]], calls: int, warm: int, in_flight: int
) -> Sample:
    """Make the calls of a lane: the CPU of this process for those after the first `warm`."""

    async def all_of_them() -> Sample:
        async with lane(url) as ask:
            messages = itertools.cycle(sent)
            await _together(ask, itertools.islice(messages, warm), in_flight)
            gc.freeze()
            cpu, wall = time.process_time(), time.perf_counter()
            await _together(ask, itertools.islice(messages, calls), in_flight)
            return Sample(calls, time.process_time() - cpu, time.perf_counter() - wall)

    return asyncio.run(all_of_them())


async def _together(ask: Ask, messages: Iterator[list[Message]], in_flight: int) -> None:
    async def one_after_another() -> None:
        for said in messages:
            await ask(said)

    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row for each promise of what a call costs."""
    # Not by the lanes, of which one has an earlier arena.
    from bench.arena import play

    size = TOY if toy else FULL
    with TemporaryDirectory() as folder, LoopbackServer() as server:
        place = Path(folder)
        recorded = place / "recorded.db"
        workers.of("litellm").run(
            play, model="bench-fixed", database=recorded, games=12, concurrency=12, rounds=3
        )
        sent = [call.messages for game in conversations(recorded) for call in game]
        lanes: dict[str, tuple[Lane, int, Path | None]] = {
            "aiohttp": (aiohttp_alone, size.calls, None),
            "lean": (endpoint, size.calls, None),
            "streamed": (streamed, size.calls, None),
            "litellm": (litellm_alone, size.by_litellm, None),
            "fallback": (fallback, size.by_litellm, None),
        }
        try:
            before = earlier(BEFORE_LEAN, place)
            lanes["before"] = (fallback, size.by_litellm, before)
        except NoHistory as error:
            print(f"        left out: {error}", file=sys.stderr)
        used: dict[str, list[float]] = {name: [] for name in lanes}
        for turn in range(size.repetitions):
            for name, (lane, calls, where) in lanes.items():
                sample = workers.of(name, where).run(
                    asking,
                    lane=lane,
                    url=server.url(f"{name}-{turn}", 0, 1),
                    sent=sent,
                    calls=calls,
                    warm=size.warm,
                    in_flight=size.in_flight,
                )
                used[name].append(sample.cpu / sample.count)
    return _rows(used)


def _rows(used: dict[str, list[float]]) -> list[Row]:
    """The rows of the CPU seconds a call of each lane."""

    def row(what: str, ours: str, theirs: str, target: float, **more: Any) -> Row:
        numbers = {f"{name}, µs a call": median(used[name]) * 1e6 for name in (ours, theirs)}
        values = ratios(used[ours], used[theirs])
        return Row(PART, what, values, target=target, at_most=True, numbers=numbers, **more)

    rows = [
        Row(
            PART,
            "calls/CPU s: lean path / litellm.acompletion",
            ratios(used["litellm"], used["lean"]),
            target=20.0,
            numbers={
                "lean calls/CPU s": 1 / median(used["lean"]),
                "litellm calls/CPU s": 1 / median(used["litellm"]),
            },
        ),
        row("CPU a call: lean path / bare aiohttp", "lean", "aiohttp", 1.5),
        row("CPU a call: lean path streamed / unstreamed", "streamed", "lean", 3.0),
    ]
    if "before" in used:
        what = f"CPU a call: through LiteLLM now / at {BEFORE_LEAN}"
        rows.append(row(what, "fallback", "before", 1.05))
    return rows
