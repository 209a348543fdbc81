"""Runs games as asyncio tasks of this process, at most `concurrency` at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from arena.core.execution import PortsT, ResultT, Slot, TaskT, always

T = TypeVar("T")

# Pieces of work that may be open for each slot: one playing, the others lent it while they wait.
OPEN_PER_SLOT = 4

# Seconds after which a piece that waits asks again whether to lend its slot.
ASKED_EVERY = 0.5


class _Free:
    """How many slots are free; fewer than none while pieces have come back to lent ones."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._given = asyncio.Event()

    async def take(self) -> None:
        """Waits for a free slot; for one waiter at a time."""
        while self._number <= 0:
            self._given.clear()
            await self._given.wait()
        self._number -= 1

    def take_back(self) -> None:
        """Has a slot whether or not one is free: the piece that comes back may hold what those
        wait for that have the slots now."""
        self._number -= 1

    def give(self) -> None:
        self._number += 1
        self._given.set()


class LocalSlot:
    """One of the executor's slots (`arena.core.execution.Slot`)."""

    def __init__(self, free: _Free) -> None:
        self._free = free

    @contextmanager
    def lent(self, after: float = 0.0, worth: Callable[[], bool] = always) -> Iterator[None]:
        """Lets other work have the slot inside the block, once it has taken `after` seconds and
        it is `worth` doing so; has it again afterwards, at once."""
        lent = False
        timer: asyncio.TimerHandle
        loop = asyncio.get_running_loop()

        def lend() -> None:
            nonlocal lent, timer
            if worth():
                lent = True
                self._free.give()
            else:
                timer = loop.call_later(ASKED_EVERY, lend)

        timer = loop.call_later(after, lend)
        try:
            yield
        finally:
            timer.cancel()
            if lent:
                self._free.take_back()

    async def call(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: PortsT
    ) -> ResultT:
        """What `play` returns, called here."""
        return await play(task, ports)


class LocalExecutor:
    """At most `concurrency` pieces of work at once (`arena.core.execution.Executor`), not counting
    those that have lent their slot, nor, for a moment, those that come back to it."""

    def __init__(self, *, concurrency: int) -> None:
        self.concurrency = concurrency

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        """Play every piece of work; while the next piece is awaited, those that play go on."""
        free = _Free(self.concurrency)
        open_ = _Free(self.concurrency * OPEN_PER_SLOT)

        async def one(item: T) -> None:
            try:
                await play(item, LocalSlot(free))
            finally:
                free.give()
                open_.give()

        queue = _taken(work)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await open_.take()
                    await free.take()
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
