"""`executor: ray`: runs games in the workers of a Ray cluster."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from arena.core import UsageError
from arena.core.execution import Slot
from arena.executors.local import LocalExecutor
from arena.executors.ray.cluster import Cluster, check_installed
from arena.executors.ray.head import check_address, watch_head
from arena.executors.workers.cpus import usable_cpus
from arena.executors.workers.pool import PooledSlot, WorkerPool
from arena.executors.workers.shared import NotPlainData

T = TypeVar("T")

_ADDRESS = "RAY_ADDRESS"
# What Ray must not do by itself: a worker that comes back has none of its games.
_OURS = ("max_restarts", "max_task_retries", "name", "lifetime", "get_if_exists")


class RayExecutor:
    """At most `concurrency` pieces of work at once (`arena.core.execution.Executor`), whose tasks
    are played in the cluster at `address`, HOST:PORT of its head, or where RAY_ADDRESS says; else
    in a Ray that is started on this machine for the run.

    `workers` is how many are wanted, by default one for each CPU of the cluster; those that have
    no place yet hold up nobody. `actor` are the options of Ray's actors: `num_cpus` (1),
    `resources`, `scheduling_strategy`, `runtime_env`. Before any game begins, workers are waited
    for `together` seconds at most; one that says nothing for `silence` seconds is taken for dead.
    `news` is what a person may want to know of them, in sentences.
    Raises UsageError where Ray is not installed.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        address: str | None = None,
        workers: int | None = None,
        actor: Mapping[str, Any] | None = None,
        silence: float = 30.0,
        together: float = 20.0,
    ) -> None:
        check_installed()
        self._address = address or os.environ.get(_ADDRESS) or None
        if self._address is not None:
            check_address(self._address, "" if address else f" in {_ADDRESS}")
        self._concurrency = concurrency
        self._workers = workers
        self._actor = {"num_cpus": 1, **(actor or {})}
        self._silence = silence
        self._together = together
        for name in _OURS:
            if name in self._actor:
                raise UsageError(
                    f"{name!r} is the executor's own: another worker takes the place of one that "
                    "ends, whatever Ray would do"
                )
        self.news: list[str] = []
        self._local = LocalExecutor(concurrency=concurrency)

    def check_database(self, backend: str) -> None:
        """Raises UsageError for a database that other machines cannot write."""
        if backend != "postgresql":
            raise UsageError(
                "the executor 'ray' plays games on other machines, which write into a PostgreSQL "
                f"database, found {backend}: type `--db postgresql://USER@HOST/NAME`, or "
                "`--executor processes` to use every core of this machine"
            )

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        """Play every piece of work; the workers end with the run. Raises UsageError where none can
        be started, ArenaError when they end again and again."""
        each = float(self._actor["num_cpus"])
        own = min(self._workers or usable_cpus(), self._concurrency)
        async with Cluster(self._address, cpus=own * each) as cluster:
            from arena.executors.ray.worker import StartRayWorker

            wanted = self._workers or max(1, int(cluster.cpus // (each or 1)))
            pool = WorkerPool(
                min(wanted, self._concurrency),
                StartRayWorker(self._actor, self._silence),
                self.news,
                called="Ray worker",
                together=self._together,
            )
            watching = asyncio.create_task(pool.fails_with(watch_head(cluster.head)))
            try:
                await pool.start()
                await self._local.run(
                    work, lambda item, slot: play(item, PooledSlot(slot, pool, _refuse))
                )
            finally:
                watching.cancel()
                await asyncio.wait([watching])
                await pool.close()


def _refuse(error: NotPlainData) -> None:
    raise error
