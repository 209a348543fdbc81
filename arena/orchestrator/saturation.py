"""Begins fewer games at once for as long as the event loop is far behind with those that play."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

T = TypeVar("T")

# Seconds between two looks, and by which a look is late on a loop that is far behind, or well.
_EVERY = 1.0
_BEHIND = 0.5
_WELL = 0.1
# Looks in a row that show that it is no passing moment.
_LONG = 10
_KEPT = 0.75


class Saturation:
    """How many games the event loop of a run carries. `running` says how many play.

    A loop that was half a second late in each of ten seconds begins no game until a quarter of
    those that play have ended; one that was on time for as long begins more again, a third at a
    time. What plays already is not stopped. `fewest` is the lowest limit so far, None without any.
    """

    def __init__(self, running: Callable[[], int]) -> None:
        self.limit: int | None = None
        self.fewest: int | None = None
        self._most = 1
        self._running = running
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
        self._behind = self._behind + 1 if late > _BEHIND else 0
        self._well = self._well + 1 if late < _WELL else 0
        if self._behind == _LONG:
            self._behind = 0
            self.limit = max(1, int(self._running() * _KEPT))
            self.fewest = min(self.limit, self.fewest or self.limit)
        elif self._well == _LONG and self.limit is not None:
            self._well = 0
            more = max(self.limit + 1, int(self.limit / _KEPT))
            self.limit = None if more >= self._most else more
        self._looked.set()

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
