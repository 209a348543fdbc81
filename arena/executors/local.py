"""Runs games as asyncio tasks of this process, so many at once and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


class LocalExecutor:
    """`concurrency` workers that take the next game as soon as they are free."""

    def __init__(self, *, concurrency: int) -> None:
        self.concurrency = concurrency

    async def run(self, work: Iterable[T], play: Callable[[T], Awaitable[None]]) -> None:
        """Play every piece of work, started in order. The first exception of a `play` cancels
        the rest and is raised as it is; cancelling this call cancels what runs."""
        queue = iter(work)

        async def worker() -> None:
            for item in queue:
                await play(item)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.concurrency):
                    group.create_task(worker())
        except BaseExceptionGroup as errors:
            raise _first(errors) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first leaf of a group: the one that cancelled the others."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
