"""An executor: one game after the other, in the order of the schedule."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from arena.core.execution import PortsT, ResultT, Slot, TaskT, always

T = TypeVar("T")


class Serial:
    """Plays one game at a time, whatever `concurrency` says."""

    def __init__(self, *, concurrency: int) -> None:
        self._slot = OnlySlot()

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        if isinstance(work, AsyncIterable):
            async for item in work:
                await play(item, self._slot)
        else:
            for item in work:
                await play(item, self._slot)


class OnlySlot:
    """The one slot: nobody waits for it."""

    @contextmanager
    def lent(self, after: float = 0.0, worth: Callable[[], bool] = always) -> Iterator[None]:
        yield

    async def call(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: PortsT
    ) -> ResultT:
        """Plays the task here. An executor of processes or of a cluster sends the task away
        instead, and serves the ports from here: what passes through them is plain data."""
        return await play(task, ports)
