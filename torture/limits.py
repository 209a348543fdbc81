"""Thousands of calls against hidden limits and an outage, in virtual time: who gives up, how long.

    python -m torture.limits

Every strategy has the same calls, workers and provider. A call is given up when it has failed more
than four times; rate limits do not count for anybody, nor do probes (which only the arena sends).
A strategy that gives calls up is done sooner for it: its ratio is not better for being smaller.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.failures.retry import Backoff, again
from arena.llm.pacing.limits import Limits
from torture import virtual_time
from torture.hidden_limits import Call, Provider, Reply, Shape

CALLS = 6_000
RETRIES = 4

SHAPES = (
    Shape("600 requests a minute", requests=600),
    Shape("600 requests a minute, Retry-After", requests=600, retry_after=True),
    Shape("600 requests a minute, bursts of 1 s", requests=600, burst=1.0),
    Shape("600 requests a minute, 5 % fail", requests=600, failing=0.05),
    Shape("1 M tokens a minute", requests=6_000, tokens=1_000_000, retry_after=True),
    Shape("20 calls at once", concurrency=20),
    Shape("20 calls at once, Retry-After", concurrency=20, retry_after=True),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One simulation: `minutes` in virtual time, `ratio` to the least that any client needs."""

    shape: str
    strategy: str
    seed: int
    workers: int
    calls: int
    given_up: int
    minutes: float
    ratio: float
    refused: int
    failed: int


Ask = Callable[[Call], Awaitable[bool]]


async def _backoff(attempt: int, reply: Reply, rng: random.Random) -> None:
    """Full jitter, doubling to a minute, as tenacity's `wait_random_exponential`."""
    seconds = rng.uniform(0.0, min(60.0, 0.5 * 2.0**attempt))
    await asyncio.sleep(max(seconds, reply.retry_after or 0.0))


def _retrying(send: Callable[[Call], Awaitable[Reply]], rng: random.Random) -> Ask:
    async def ask(call: Call) -> bool:
        failures = attempts = 0
        while True:
            reply = await send(call)
            if reply.status == 200:
                return True
            attempts += 1
            failures += reply.status != 429
            if failures > RETRIES:
                return False
            await _backoff(attempts, reply, rng)

    return ask


def unlimited(provider: Provider, rng: random.Random) -> Ask:
    """No limit at all: backoff alone."""
    return _retrying(provider.ask, rng)


def fixed(provider: Provider, rng: random.Random) -> Ask:
    """At most fifty calls at once, and backoff."""
    places = asyncio.Semaphore(50)

    async def send(call: Call) -> Reply:
        async with places:
            return await provider.ask(call)

    return _retrying(send, rng)


def aimd(provider: Provider, rng: random.Random) -> Ask:
    """Additive increase, multiplicative decrease of the calls at once, and backoff: one more a
    round (double until the first rate limit), 70 % at most once a round."""
    limit, doubling = 4.0, True
    waiting: deque[asyncio.Future[None]] = deque()
    in_flight = number = cut_after = 0

    async def send(call: Call) -> Reply:
        nonlocal limit, doubling, in_flight, number, cut_after
        while in_flight >= int(limit):
            waiter = asyncio.get_running_loop().create_future()
            waiting.append(waiter)
            await waiter
        in_flight += 1
        number += 1
        mine = number
        reply = await provider.ask(call)
        if reply.status == 200 and in_flight >= int(limit):
            limit += 1.0 if doubling else 1.0 / limit
        elif reply.status == 429 and mine > cut_after:
            limit, doubling, cut_after = max(1.0, 0.7 * limit), False, number
        in_flight -= 1
        for _ in range(min(len(waiting), int(limit) - in_flight)):
            waiting.popleft().set_result(None)
        return reply

    return _retrying(send, rng)


def arena(provider: Provider, rng: random.Random) -> Ask:
    """The arena's gate and retries, as its client uses them."""
    gate = Limits(rng=rng).gate("model")

    async def ask(call: Call) -> bool:
        async def attempt() -> bool:
            with gate.enter_now(call.estimate) or await gate.enter(call.estimate) as permit:
                reply = await provider.ask(call)
                if reply.status == 200:
                    permit.succeeded(call.tokens)
                    return True
                fault = Fault(
                    "RateLimitError" if reply.status == 429 else "InternalServerError",
                    f"HTTP {reply.status}",
                    kind=FaultKind.RATE_LIMIT if reply.status == 429 else FaultKind.SERVER,
                    status=reply.status,
                    retry_after=reply.retry_after,
                    probe=permit.probe,
                )
                permit.failed(
                    rate_limited=fault.rate_limited,
                    retry_after=fault.retry_after,
                    model_at_fault=fault.model_at_fault,
                    said=fault.message,
                )
                raise fault

        try:
            try:
                return await attempt()
            except Fault as first:
                return await again(
                    first,
                    attempt,
                    retries=RETRIES,
                    backoff=Backoff(),
                    rng=rng,
                    sleep=asyncio.sleep,
                    clock=asyncio.get_running_loop().time,
                )
        except Fault:
            return False

    return ask


STRATEGIES: Mapping[str, Callable[[Provider, random.Random], Ask]] = {
    "arena": arena,
    "AIMD alone": aimd,
    "50 at once": fixed,
    "no limit": unlimited,
}


def simulate(
    shape: Shape,
    strategy: str,
    seed: int,
    *,
    calls: int = CALLS,
    workers: int | None = None,
) -> Run:
    """One strategy against one provider; the seed draws calls, latencies and 50-200 workers."""
    rng = random.Random(f"calls {seed}")
    drawn = rng.randint(50, 200)
    crowd = drawn if workers is None else workers
    work = []
    for _ in range(calls):
        tokens = round(rng.lognormvariate(7.3, 0.4))
        work.append(Call(tokens, round(tokens * rng.uniform(0.8, 1.4))))
    provider = Provider(shape, seed)

    async def main() -> tuple[int, float]:
        ask = STRATEGIES[strategy](provider, random.Random(f"jitter {seed}"))
        pending = iter(work)

        async def worker() -> int:
            given_up = 0
            for call in pending:
                given_up += not await ask(call)
            return given_up

        given_up = sum(await asyncio.gather(*(worker() for _ in range(crowd))))
        return given_up, asyncio.get_running_loop().time()

    given_up, seconds = virtual_time.run(main())
    return Run(
        shape=shape.name,
        strategy=strategy,
        seed=seed,
        workers=crowd,
        calls=calls,
        given_up=given_up,
        minutes=seconds / 60.0,
        ratio=seconds / provider.least_seconds(crowd),
        refused=provider.refused,
        failed=provider.failed,
    )


def run(
    seeds: Sequence[int],
    *,
    calls: int = CALLS,
    shapes: Sequence[Shape] = SHAPES,
    strategies: Sequence[str] = tuple(STRATEGIES),
) -> list[Run]:
    """Every strategy against every provider with every seed."""
    return [
        simulate(shape, strategy, seed, calls=calls)
        for shape in shapes
        for strategy in strategies
        for seed in seeds
    ]


def table(runs: Sequence[Run]) -> str:
    """One line for a strategy and a provider: means, and the worst over the seeds."""
    lines = [
        f"{'provider':38}{'strategy':12}{'given up':>9}{'minutes':>9}{'ratio':>7}{'worst':>7}"
        f"{'refused':>9}"
    ]
    groups: dict[tuple[str, str], list[Run]] = {}
    for one in runs:
        groups.setdefault((one.shape, one.strategy), []).append(one)
    for (shape, strategy), group in groups.items():
        lines.append(
            f"{shape:38}{strategy:12}"
            f"{statistics.mean(one.given_up for one in group):9.0f}"
            f"{statistics.mean(one.minutes for one in group):9.1f}"
            f"{statistics.mean(one.ratio for one in group):7.2f}"
            f"{max(one.ratio for one in group):7.2f}"
            f"{statistics.mean(one.refused for one in group):9.0f}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m torture.limits", description="Hidden limits and an outage, in virtual time."
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 1")
    options = parser.parse_args(arguments)
    print(table(run(range(1, options.seeds + 1))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
