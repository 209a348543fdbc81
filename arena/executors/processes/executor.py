"""`executor: processes`: runs games in as many worker processes as there are CPUs."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import TypeVar

from arena.core.execution import Slot
from arena.executors.local import LocalExecutor
from arena.executors.processes.process import WorkerProcess
from arena.executors.workers.cpus import usable_cpus
from arena.executors.workers.pool import PooledSlot, WorkerPool
from arena.executors.workers.shared import NotPlainData

T = TypeVar("T")


class ProcessExecutor:
    """At most `concurrency` pieces of work at once (`arena.core.execution.Executor`), whose tasks
    are played in `workers` processes, by default one for each CPU. What cannot be sent to another
    process is refused, or with `else_here` played in this one. `news` is what a person may want to
    know of them, in sentences."""

    def __init__(
        self, *, concurrency: int, workers: int | None = None, else_here: bool = False
    ) -> None:
        self.workers = min(concurrency, workers or usable_cpus())
        self.news: list[str] = []
        self._else_here = else_here
        self._local = LocalExecutor(concurrency=concurrency)

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        """Play every piece of work; the workers end with the run. Raises UsageError where none can
        be started, ArenaError when they end again and again."""
        pool = WorkerPool(self.workers, WorkerProcess.started, self.news)
        try:
            await pool.start()
            await self._local.run(
                work, lambda item, slot: play(item, PooledSlot(slot, pool, self._instead))
            )
        finally:
            await pool.close()

    def _instead(self, error: NotPlainData) -> None:
        if not self._else_here:
            raise error
        said = f"games are played in this process after all: {error}"
        if said not in self.news:
            self.news.append(said)
