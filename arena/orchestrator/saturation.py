"""Begins fewer games at once for as long as this process is far behind with those that play."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Seconds between two looks, and by which a loop is late that is far behind, or well.
_EVERY = 1.0
_BEHIND = 0.5
_WELL = 0.1
# Of the time of their provider, for which calls wait for a process that is far behind, or well.
_BEHIND_PART = 0.25
_WELL_PART = 0.1
# Looks in a row that show that it is no passing moment.
_LONG = 10
_KEPT = 0.75


class CallSeconds(Protocol):
    """How many calls were answered so far, and the seconds that they took together: their
    providers' (`seconds`), and those in which they waited for the process that made them."""

    @property
    def answered(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def lag(self) -> float: ...


class Saturation:
    """How many games a run carries. `running` says how many play, `calls` what their calls took.

    A process is far behind whose loop is half a second late, or for which the calls that were
    answered in a second have waited, one with another, for half a second and for a quarter of the
    time of their provider. One that was so in each of ten seconds begins no game until a quarter of
    those that play have ended; one that was on time for as long begins more again, a third at a
    time. What plays already is not stopped. `limit` is how many may play, None without any;
    `fewest` is the lowest limit so far.
    """

    def __init__(self, running: Callable[[], int], calls: CallSeconds) -> None:
        self.limit: int | None = None
        self.fewest: int | None = None
        self._most = 1
        self._running = running
        self._calls = calls
        self._before = (0, 0.0, 0.0)
        self._behind = self._well = 0
        self._looked = asyncio.Event()

    async def within(self, work: AsyncIterator[T], most: int) -> AsyncIterator[T]:
        """The same work, at most `most` pieces of it at once, whose next piece waits as long as
        there is no room for it."""
        self._most = most
        watching = asyncio.create_task(self._watch())
        try:
            await self._room()
            async for piece in work:
                yield piece
                await self._room()
        finally:
            watching.cancel()

    def looked(self, late: float) -> None:
        """The loop came to look this many seconds late."""
        latency, lag = self._lately()
        behind = late > _BEHIND or lag > max(_BEHIND, _BEHIND_PART * latency)
        well = late < _WELL and lag < max(_WELL, _WELL_PART * latency)
        self._behind = self._behind + 1 if behind else 0
        self._well = self._well + 1 if well else 0
        if self._behind == _LONG:
            self._behind = 0
            self.limit = max(1, int(self._running() * _KEPT))
            self.fewest = min(self.limit, self.fewest or self.limit)
            _log.warning("saturated: at most %d games are played at once", self.limit)
        elif self._well == _LONG and self.limit is not None:
            self._well = 0
            more = max(self.limit + 1, int(self.limit / _KEPT))
            self.limit = None if more >= self._most else more
            _log.info("on time again: up to %d games are played at once", more)
        self._looked.set()

    def _lately(self) -> tuple[float, float]:
        """Mean seconds of the calls that were answered since the last look: their provider's, and
        those for which they waited for this process."""
        calls = self._calls
        now = (calls.answered, calls.seconds, calls.lag)
        answered, seconds, lag = (a - b for a, b in zip(now, self._before, strict=True))
        self._before = now
        return (seconds / answered, lag / answered) if answered else (0.0, 0.0)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _EVERY
            await asyncio.sleep(_EVERY)
            self.looked(loop.time() - due)

    async def _room(self) -> None:
        while self.limit is not None and self._running() >= self.limit:
            self._looked.clear()
            await self._looked.wait()
