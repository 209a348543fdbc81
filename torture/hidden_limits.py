"""A provider that keeps its limits to itself, in virtual time: what a client has to live with."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """What a provider takes. Rates are by the minute and held by a token bucket that lets through
    `burst` seconds' worth at once; `concurrency` is the most calls in flight. A refused call
    counts against the rates like any other. `retry_after` says whether a refusal tells, in whole
    seconds, when there is room again. Between the two times of `outage` every call fails, those in
    flight at its start too. `failing` is the share of calls that fail at any time, `refusing` the
    share that is refused however few there are, as by a provider that others overload.
    """

    name: str
    requests: float = math.inf
    tokens: float = math.inf
    concurrency: float = math.inf
    burst: float = 10.0
    retry_after: bool = False
    outage: tuple[float, float] = (200.0, 290.0)
    failing: float = 0.0
    refusing: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """A request: the tokens it takes in the end, and what its sender thinks that it takes."""

    tokens: int
    estimate: int


@dataclass(frozen=True, slots=True)
class Reply:
    """200, 429 or 500, and the seconds that a 429 asks to wait, if it says so."""

    status: int
    retry_after: float | None = None


class _TokenBucket:
    def __init__(self, per_minute: float, burst: float) -> None:
        self._rate = per_minute / 60.0
        self._most = self._level = max(1.0, self._rate * burst)
        self._at = 0.0

    def lacking(self, amount: float, now: float) -> float:
        """Seconds until there is room for the amount; the amount is taken in any case, and what
        clients owe for refused calls is at most one burst."""
        if self._rate == math.inf:
            return 0.0
        self._level = min(self._most, self._level + self._rate * (now - self._at))
        self._at = now
        lacking = max(0.0, (amount - self._level) / self._rate)
        self._level = max(self._level - amount, -self._most)
        return lacking


class Provider:
    """Answers after about two seconds (lognormal), refuses and fails within a fraction of one."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape = shape
        self._rng = random.Random(f"provider {seed}")
        self._requests = _TokenBucket(shape.requests, shape.burst)
        self._tokens = _TokenBucket(shape.tokens, shape.burst)
        self.in_flight = 0
        self.most_in_flight = 0
        self.refused = 0
        self.failed = 0
        self.served = 0
        self.served_tokens = 0
        self.served_seconds = 0.0
        self.sent_at: list[float] = []

    async def ask(self, call: Call) -> Reply:
        """One request; any number may be out at once."""
        now = asyncio.get_running_loop().time()
        self.sent_at.append(now)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._answer(call, now)
        finally:
            self.in_flight -= 1

    async def _answer(self, call: Call, now: float) -> Reply:
        start, end = self.shape.outage
        if start <= now < end or self._rng.random() < self.shape.failing:
            return await self._fail()
        lacking = max(
            self._requests.lacking(1, now),
            self._tokens.lacking(call.tokens, now),
        )
        unlucky = self._rng.random() < self.shape.refusing
        if unlucky or lacking > 0.0 or self.in_flight > self.shape.concurrency:
            self.refused += 1
            await asyncio.sleep(self._rng.uniform(0.05, 0.2))
            seconds = float(max(1, math.ceil(lacking))) if self.shape.retry_after else None
            return Reply(429, seconds)
        seconds = self._rng.lognormvariate(math.log(1.8), 0.5)
        if now < start < now + seconds:
            await asyncio.sleep(start - now)
            return await self._fail()
        await asyncio.sleep(seconds)
        self.served += 1
        self.served_tokens += call.tokens
        self.served_seconds += seconds
        return Reply(200)

    async def _fail(self) -> Reply:
        self.failed += 1
        await asyncio.sleep(self._rng.uniform(0.05, 0.3))
        return Reply(500)

    def least_seconds(self, workers: int) -> float:
        """No client can have the calls that were answered answered sooner: the outage, and the
        longest of

        - answered calls / request rate, and their tokens / token rate, each without two bursts
          (one that is there at the start, one that has gathered during the outage);
        - the seconds that the answered calls took / calls in flight, at most one a worker.
        """
        shape = self.shape
        start, end = shape.outage
        return (
            max(
                self.served / (shape.requests / 60.0) - 2.0 * shape.burst,
                self.served_tokens / (shape.tokens / 60.0) - 2.0 * shape.burst,
                self.served_seconds / min(shape.concurrency, workers),
            )
            + end
            - start
        )
