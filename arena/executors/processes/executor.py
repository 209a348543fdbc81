"""`executor: processes`: runs games in as many worker processes as there are CPUs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

from arena.core import ArenaError
from arena.core.execution import PortsT, ResultT, Slot, TaskT, always
from arena.executors.local import LocalExecutor
from arena.executors.processes.cpus import usable_cpus
from arena.executors.processes.process import WorkerProcess
from arena.executors.processes.shared import NotPlainData

T = TypeVar("T")

# Workers that may end in a row before a turn is durable.
_MOST_DEATHS = 3


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
        pool = WorkerPool(self.workers, self.news)
        try:
            await pool.start()
            await self._local.run(
                work, lambda item, slot: play(item, ProcessSlot(slot, pool, self._instead))
            )
        finally:
            await pool.close()

    def _instead(self, error: NotPlainData) -> None:
        if not self._else_here:
            raise error
        said = f"games are played in this process after all: {error}"
        if said not in self.news:
            self.news.append(said)


class ProcessSlot:
    """One of the executor's slots (`arena.core.execution.Slot`)."""

    def __init__(
        self, slot: Slot, pool: WorkerPool, instead: Callable[[NotPlainData], None]
    ) -> None:
        self._slot = slot
        self._pool = pool
        self._instead = instead

    def lent(
        self, after: float = 0.0, worth: Callable[[], bool] = always
    ) -> AbstractContextManager[None]:
        """Lets other work have the slot, as the local one does."""
        return self._slot.lent(after, worth)

    async def call(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: PortsT
    ) -> ResultT:
        """What `play` returns, called in the worker that has the fewest games."""
        try:
            return await self._pool.call(play, task, ports)
        except NotPlainData as error:
            self._instead(error)
        return await self._slot.call(play, task, ports)


class WorkerPool:
    """The worker processes of a run: another is started for each that ends before the run does."""

    def __init__(self, number: int, news: list[str]) -> None:
        self._number = number
        self._news = news
        self._workers: list[WorkerProcess] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._failed: Exception | None = None
        self._deaths = 0
        self._closed = False

    async def start(self) -> None:
        """Start all of them. Raises UsageError."""
        for _ in range(self._number):
            await self._add()

    async def call(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: PortsT
    ) -> ResultT:
        """What `play` returns in the worker that has the fewest games. Raises WorkerLost when that
        ends before, ArenaError when no worker lives long enough."""
        while not self._workers and self._failed is None:
            self._changed.clear()
            await self._changed.wait()
        if self._failed is not None:
            raise self._failed
        worker = min(self._workers, key=lambda worker: worker.games)
        return await worker.play(play, task, ports)

    async def close(self) -> None:
        """End all of them."""
        self._closed = True
        while self._starting:
            await asyncio.wait(self._starting)
        await self._end()

    async def _add(self) -> None:
        self._workers.append(await WorkerProcess.started(self._lost, self._progressed, self._told))
        self._changed.set()

    def _told(self, said: str) -> None:
        if said not in self._news:
            self._news.append(said)

    def _progressed(self) -> None:
        self._deaths = 0

    def _lost(self, worker: WorkerProcess) -> None:
        if worker not in self._workers:
            # It is being ended with the others.
            return
        self._workers.remove(worker)
        self._deaths += 1
        task = asyncio.get_running_loop().create_task(self._replace(worker, worker.games))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _replace(self, worker: WorkerProcess, games: int) -> None:
        how = await worker.ended()
        if self._closed or self._failed is not None:
            return
        if self._deaths >= _MOST_DEATHS:
            await self._fail(
                ArenaError(
                    f"a worker process {how}, the {_MOST_DEATHS}rd in a row before any turn was "
                    "ended: nothing is lost; look at what it printed, and type the same command "
                    "again to resume, or with `--executor local`"
                )
            )
            return
        resume = {0: "", 1: ", and its 1 game resumes from the record"}.get(
            games, f", and its {games:,} games resume from the record"
        )
        self._news.append(f"worker process {worker.pid} {how}: another is started{resume}")
        try:
            await self._add()
        except Exception as error:
            # Also a bug: whoever waits for a worker is told.
            await self._fail(error)

    async def _fail(self, error: Exception) -> None:
        self._failed = error
        self._changed.set()
        await self._end()

    async def _end(self) -> None:
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.ended() for worker in workers))
