"""Tries a failed call again: how long it waits in between, and when it gives up."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import Remedy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait: what the provider asks for, else growing and jittered; seconds.

    `base` doubles with every attempt up to `longest`, which also caps what a provider may ask.
    """

    base: float = 0.5
    longest: float = 60.0

    def seconds(self, fault: Fault, attempts: int, rng: random.Random) -> float:
        """The wait after the given number of failed attempts."""
        jitter = rng.random()
        if fault.retry_after is not None:
            return min(fault.retry_after, self.longest) + self.base * jitter
        # A float cannot hold the thousandth power of two.
        doublings = min(attempts - 1, 60)
        return min(self.longest, self.base * 2.0**doublings) * (0.5 + 0.5 * jitter)


async def again(
    first: Fault,
    attempt: Callable[[], Awaitable[T]],
    *,
    retries: int,
    backoff: Backoff,
    rng: random.Random,
    sleep: Callable[[float], Awaitable[Any]],
    patience: float = 600.0,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Goes on after a first failed attempt. Raises the last Fault.

    Up to `retries` more attempts; those that were told to wait, and probes, do not count. Whatever
    the failures are, no attempt starts later than `patience` seconds (of `clock`) after the first
    failure.

    Entered only after a failure, because tenacity's own work is not free on a call that succeeds.
    """
    pending: list[Fault] = [first]
    started = clock()
    used = 0

    async def one() -> T:
        if pending:
            raise pending.pop()
        return await attempt()

    def wait(state: RetryCallState) -> float:
        fault = _fault(state)
        if fault.probe or fault.held:
            # The gate spaces probes, and all calls wait there for what the provider asks: it knows
            # whether that is longer than patience lasts.
            return backoff.base * rng.random()
        return backoff.seconds(fault, state.attempt_number, rng)

    def stop(state: RetryCallState) -> bool:
        nonlocal used
        fault = _fault(state)
        if fault.remedy is not Remedy.WAIT and not fault.probe:
            used += 1
        return used > retries or clock() - started + state.upcoming_sleep > patience

    retrying = AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.retryable),
        stop=stop,
        wait=wait,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(one)


def _fault(state: RetryCallState) -> Fault:
    fault = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(fault, Fault)
    return fault
