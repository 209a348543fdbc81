"""The workers of a run, whatever they run in: another is started for each that ends before it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, Protocol

from arena.core import ArenaError, UsageError
from arena.core.execution import PortsT, ResultT, Slot, TaskT, always
from arena.executors.workers.shared import NotPlainData

# Workers that may end in a row before a turn is durable.
_MOST_DEATHS = 3


class WorkerUnfit(UsageError):
    """A worker cannot play this run; others may."""


class WorkerNotStarted(UsageError):
    """A worker ended before it could play: another is tried, a few times."""


class Worker(Protocol):
    """One worker as its parent has it; `name` is another one for each."""

    @property
    def name(self) -> str: ...
    @property
    def games(self) -> int:
        """How many games it has."""
        ...

    async def play(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: Any
    ) -> ResultT:
        """What `play(task, ports)` returns there. Raises what it raises, WorkerLost when the
        worker ends before it does, NotPlainData for what cannot be sent."""
        ...

    async def ended(self) -> str:
        """End it, unless it has ended: how it did, for messages."""
        ...


class StartWorker(Protocol):
    """Starts a worker. `lost` is called once, when it has ended by itself; `progressed` whenever a
    turn of one of its games is durable; `told` with what there is to say to who started the run.
    Raises WorkerUnfit, WorkerNotStarted, UsageError where none can be started."""

    async def __call__(
        self,
        lost: Callable[[Any], None],
        progressed: Callable[[], None],
        told: Callable[[str], None],
    ) -> Worker: ...


class WorkerPool:
    """`number` workers, made by `start`. What there is to say of them is added to `news`; `called`
    is what messages call one. After `together` seconds those play that are there, if any, and the
    others join them as they come; by default all are waited for."""

    def __init__(
        self,
        number: int,
        start: StartWorker,
        news: list[str],
        *,
        called: str = "worker process",
        together: float | None = None,
    ) -> None:
        self._number = number
        self._start = start
        self._news = news
        self._called = called
        self._together = together
        self._workers: list[Worker] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._failed: Exception | None = None
        # Workers that are still to come: those that will be started, too.
        self._coming = 0
        self._deaths = 0
        self._closed = False

    async def start(self) -> None:
        """Start all of them. Raises UsageError."""
        self._coming = self._number
        for _ in range(self._number):
            self._begin(self._add())
        await asyncio.wait(self._starting, timeout=self._together)
        missing = self._number - len(self._workers)
        if self._starting and missing:
            self._told(
                f"{missing} of {self._number} workers have no place yet: games are played by "
                "those that have, and by the others once they have one"
            )
        await self._some()

    async def call(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: PortsT
    ) -> ResultT:
        """What `play` returns in the worker that has the fewest games. Raises WorkerLost when that
        ends before, ArenaError when no worker lives long enough."""
        await self._some()
        worker = min(self._workers, key=lambda worker: worker.games)
        return await worker.play(play, task, ports)

    async def fails_with(self, watch: Awaitable[None]) -> None:
        """Once this raises an ArenaError, no worker plays any more, and it is raised to whoever
        calls one."""
        try:
            await watch
        except ArenaError as error:
            await self._fail(error)

    async def close(self) -> None:
        """End all of them."""
        self._closed = True
        if self._together is not None:
            # One that has no place may never get one.
            for starting in self._starting:
                starting.cancel()
        while self._starting:
            await asyncio.wait(self._starting)
        await self._end()

    async def _some(self) -> None:
        """Returns once there is a worker. Raises why there will be none."""
        while not self._workers and self._failed is None:
            self._changed.clear()
            await self._changed.wait()
        if self._failed is not None:
            raise self._failed

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _started(self) -> Worker:
        """A worker. Raises what `start` does, WorkerNotStarted for too many in a row."""
        for _ in range(_MOST_DEATHS - 1):
            try:
                return await self._start(self._lost, self._progressed, self._told)
            except WorkerNotStarted:
                if self._closed:
                    raise
        return await self._start(self._lost, self._progressed, self._told)

    async def _add(self) -> None:
        try:
            worker = await self._started()
        except (WorkerUnfit, WorkerNotStarted) as error:
            self._coming -= 1
            if self._workers or self._coming:
                self._told(str(error))
            else:
                await self._fail(error)
        except Exception as error:
            # Also a bug: whoever waits for a worker is told.
            await self._fail(error)
        else:
            self._coming -= 1
            self._workers.append(worker)
            self._changed.set()

    def _told(self, said: str) -> None:
        if said not in self._news:
            self._news.append(said)

    def _progressed(self) -> None:
        self._deaths = 0

    def _lost(self, worker: Worker) -> None:
        if worker not in self._workers:
            # It is being ended with the others.
            return
        self._workers.remove(worker)
        self._deaths += 1
        self._coming += 1
        self._begin(self._replace(worker, worker.games))

    async def _replace(self, worker: Worker, games: int) -> None:
        how = await worker.ended()
        if self._closed or self._failed is not None:
            return
        if self._deaths >= _MOST_DEATHS:
            await self._fail(
                ArenaError(
                    f"a {self._called} {how}, the {_MOST_DEATHS}rd in a row before any turn was "
                    "ended: nothing is lost; look at what it printed, and type the same command "
                    "again to resume, or with `--executor local`"
                )
            )
            return
        resume = {0: "", 1: ", and its 1 game resumes from the record"}.get(
            games, f", and its {games:,} games resume from the record"
        )
        self._news.append(f"{self._called} {worker.name} {how}: another is started{resume}")
        await self._add()

    async def _fail(self, error: Exception) -> None:
        self._failed = error
        self._changed.set()
        await self._end()

    async def _end(self) -> None:
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.ended() for worker in workers))


class PooledSlot:
    """One of the executor's slots (`arena.core.execution.Slot`), whose calls a pool plays;
    `instead` may let one that cannot be sent be played here: it raises it otherwise."""

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
