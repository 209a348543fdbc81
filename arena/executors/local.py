"""Runs games as asyncio tasks of this process, so many at once and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

# Pieces of work that may be open for each place: one playing, the others lent it while they wait.
OPEN_PER_PLACE = 4


# Seconds after which a piece that waits asks again whether to lend its place.
ASKED_EVERY = 0.5


def always() -> bool:
    """Whoever waits lends its place."""
    return True


class Place:
    """One of the executor's places, while a piece of work has it."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places

    @asynccontextmanager
    async def lent(
        self, after: float = 0.0, worth: Callable[[], bool] = always
    ) -> AsyncIterator[None]:
        """Lets other work have the place inside the block, once it has taken `after` seconds and
        it is `worth` doing so; has it again afterwards."""
        lent = False
        timer: asyncio.TimerHandle
        loop = asyncio.get_running_loop()

        def lend() -> None:
            nonlocal lent, timer
            if worth():
                lent = True
                self._places.release()
            else:
                timer = loop.call_later(ASKED_EVERY, lend)

        timer = loop.call_later(after, lend)
        try:
            yield
        finally:
            timer.cancel()
            if lent:
                # Also when the wait was cancelled: whoever leaves gives back what it has.
                await self._places.acquire()


class LocalExecutor:
    """At most `concurrency` pieces of work at once, not counting those that only wait."""

    def __init__(self, *, concurrency: int) -> None:
        self.concurrency = concurrency

    async def run(self, work: Iterable[T], play: Callable[[T, Place], Awaitable[None]]) -> None:
        """Play every piece of work, started in order, each taken when there is a place for it.
        The first exception of a `play` cancels the rest and is raised as it is; cancelling this
        call cancels what runs."""
        places = asyncio.Semaphore(self.concurrency)
        open_ = asyncio.Semaphore(self.concurrency * OPEN_PER_PLACE)

        async def one(item: T) -> None:
            try:
                await play(item, Place(places))
            finally:
                places.release()
                open_.release()

        queue = iter(work)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await open_.acquire()
                    await places.acquire()
                    for item in queue:
                        group.create_task(one(item))
                        break
                    else:
                        # Whoever lent its place has to find one.
                        places.release()
                        return
        except BaseExceptionGroup as errors:
            raise _first(errors) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first leaf of a group: the one that cancelled the others."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
