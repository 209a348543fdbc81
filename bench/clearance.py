"""Grants of clearance a second to four worker processes: in chunks, one at a time, and by a row.

The workers ask and give back and do nothing else, so that the place that grants is what saturates.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from psycopg import connect

from arena import registry
from arena.executors.processes.process import WorkerProcess
from arena.executors.workers.pool import WorkerPool
from arena.game.task import Ports
from arena.llm.clearance import CallNeeds, Ending, Grant, LocalClearance, Returned
from arena.llm.client import Client
from arena.llm.costs.budget import Budget
from arena.llm.pacing.limits import Limits
from arena.testing.executors import ExecutorPorts
from bench.measure import Row, Sample, median, ratios
from bench.postgres import postgresql
from bench.workers import Workers

PART = "clearance"
MODEL = "m"
WORKERS = 4
WORST = 0.001


@dataclass(frozen=True, slots=True)
class Size:
    """Games of each worker, the calls of each, and those that share a row."""

    games: int
    calls: int
    by_row: int
    repetitions: int


FULL = Size(games=32, calls=150, by_row=500, repetitions=3)
TOY = Size(games=1, calls=5, by_row=5, repetitions=1)


class OneAtATime:
    """A clearance from which no worker has chunks."""

    def __init__(self, clearance: LocalClearance) -> None:
        self._clearance = clearance

    async def ask(self, needs: CallNeeds) -> Grant:
        return await self._clearance.ask(needs)

    def give_back(self, returned: Returned) -> None:
        self._clearance.give_back(returned)

    async def wait(self, seconds: float) -> None:
        await self._clearance.wait(seconds)


async def asks(task: int, ports: Ports) -> int:
    """So many calls of a game, one after another; those of other games come in between."""
    needs = CallNeeds(MODEL, 500, WORST)
    for _ in range(task):
        grant = await ports.clearance.ask(needs)
        await asyncio.sleep(0)
        ports.clearance.give_back(Returned(grant.grant_id, Ending.ANSWERED, WORST / 2, 400))
    return task


def granted(size: Size, *, chunks: bool) -> Sample:
    """Grants, by the CPU of the process that grants them."""

    async def main() -> Sample:
        limits, budget = Limits(proven=[MODEL]), Budget(1e6)
        client = Client(registry.provider, policy=registry.policy)
        pool = WorkerPool(WORKERS, WorkerProcess.started, [])
        await pool.start()

        async def game(calls: int) -> int:
            with LocalClearance(limits, budget) as clearance:
                port = ExecutorPorts()
                ports = Ports(port, clearance if chunks else OneAtATime(clearance), client)
                return await pool.call(asks, calls, ports)

        try:
            await asyncio.gather(*(game(1) for _ in range(WORKERS)))
            cpu, wall = time.process_time(), time.perf_counter()
            done = await asyncio.gather(*(game(size.calls) for _ in range(WORKERS * size.games)))
            return Sample(sum(done), time.process_time() - cpu, time.perf_counter() - wall)
        finally:
            await pool.close()

    return asyncio.run(main())


def by_row(url: str, calls: int) -> Sample:
    """Four connections take every permit from one row, as programs do that share a limit so."""
    with connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE permits (model TEXT PRIMARY KEY, free BIGINT NOT NULL)")
        connection.execute("INSERT INTO permits VALUES (%s, %s)", (MODEL, 10**9))

    def take(_: int) -> int:
        with connect(url, autocommit=True) as own:
            for _ in range(calls):
                own.execute(
                    "UPDATE permits SET free = free - 1 WHERE model = %s AND free > 0", (MODEL,)
                )
        return calls

    cpu, wall = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as threads:
        done = sum(threads.map(take, range(WORKERS)))
    return Sample(done, time.process_time() - cpu, time.perf_counter() - wall)


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """Chunks over single grants, and over a row for each."""
    size = TOY if toy else FULL
    lane = workers.of("clearance")
    chunks: list[Sample] = []
    single: list[Sample] = []
    rows: list[Sample] = []
    with postgresql() as fresh:
        for _ in range(size.repetitions):
            single.append(lane.run(granted, size=size, chunks=False))
            chunks.append(lane.run(granted, size=size, chunks=True))
            rows.append(lane.run(by_row, url=fresh(), calls=size.by_row))
    rates, alone, through = (
        [sample.per_second for sample in samples] for samples in (chunks, single, rows)
    )
    mine = {"grants/s in chunks": median(rates)}
    return [
        Row(
            PART,
            f"grants to {WORKERS} workers per second of its CPU: in chunks / one at a time",
            ratios([each.per_cpu for each in chunks], [each.per_cpu for each in single]),
            numbers={
                **mine,
                "one at a time grants/s": median(alone),
                "CPU us a call in chunks": 1e6 / median([each.per_cpu for each in chunks]),
                "us one at a time": 1e6 / median([each.per_cpu for each in single]),
            },
        ),
        Row(
            PART,
            f"grants/s to {WORKERS} workers: in chunks / an UPDATE of a row in PostgreSQL each",
            ratios(rates, through),
            numbers={**mine, "by a row grants/s": median(through)},
        ),
    ]
