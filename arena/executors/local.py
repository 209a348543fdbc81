"""Runs games as asyncio tasks of this process, so many at once and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

# Pieces of work that may be open for each place: one playing, the others lent it while they wait.
OPEN_PER_PLACE = 4


# Seconds after which a piece that waits asks again whether to lend its place.
ASKED_EVERY = 0.5


def always() -> bool:
    """Whoever waits lends its place."""
    return True


class _Places:
    """How many places are free; fewer than none while pieces have come back to lent ones."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._given = asyncio.Event()

    async def take(self) -> None:
        """Waits for a free place; for one waiter at a time."""
        while self._free <= 0:
            self._given.clear()
            await self._given.wait()
        self._free -= 1

    def take_back(self) -> None:
        """Has a place whether or not one is free: whoever comes back may hold what those wait for
        who have the places now."""
        self._free -= 1

    def give(self) -> None:
        self._free += 1
        self._given.set()


class Place:
    """One of the executor's places, while a piece of work has it."""

    def __init__(self, places: _Places) -> None:
        self._places = places

    @contextmanager
    def lent(self, after: float = 0.0, worth: Callable[[], bool] = always) -> Iterator[None]:
        """Lets other work have the place inside the block, once it has taken `after` seconds and
        it is `worth` doing so; has it again afterwards, at once."""
        lent = False
        timer: asyncio.TimerHandle
        loop = asyncio.get_running_loop()

        def lend() -> None:
            nonlocal lent, timer
            if worth():
                lent = True
                self._places.give()
            else:
                timer = loop.call_later(ASKED_EVERY, lend)

        timer = loop.call_later(after, lend)
        try:
            yield
        finally:
            timer.cancel()
            if lent:
                self._places.take_back()


class LocalExecutor:
    """At most `concurrency` pieces of work at once, not counting those that have lent their place,
    nor, for a moment, those that come back to it."""

    def __init__(self, *, concurrency: int) -> None:
        self.concurrency = concurrency

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Place], Awaitable[None]]
    ) -> None:
        """Play every piece of work, started in order, each taken when there is a place for it;
        while the next piece is awaited, those that play go on.
        The first exception of a `play` cancels the rest and is raised as it is; cancelling this
        call cancels what runs."""
        places = _Places(self.concurrency)
        open_ = _Places(self.concurrency * OPEN_PER_PLACE)

        async def one(item: T) -> None:
            try:
                await play(item, Place(places))
            finally:
                places.give()
                open_.give()

        queue = _taken(work)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await open_.take()
                    await places.take()
                    async for item in queue:
                        group.create_task(one(item))
                        break
                    else:
                        return
        except BaseExceptionGroup as errors:
            raise _first(errors) from None


async def _taken(work: Iterable[T] | AsyncIterable[T]) -> AsyncIterator[T]:
    if isinstance(work, AsyncIterable):
        async for item in work:
            yield item
    else:
        for item in work:
            yield item


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first leaf of a group: the one that cancelled the others."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
