"""Grants of clearance a second to four worker processes: in chunks that are kept in memory or on
record, one at a time, and by a row for each.

The workers ask and give back and do nothing else, so that the place that grants is what saturates.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
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
from arena.record.chunk_book import RecordedChunks
from arena.testing.executors import ExecutorPorts
from bench.measure import Row, Sample, median, ratios
from bench.postgres import postgresql
from bench.recorder import scheduled
from bench.workers import Workers
from db import Database

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


class OnRecord(ExecutorPorts):
    """A journal whose run has the chunks of its workers on record."""

    def __init__(self, chunk_book: RecordedChunks | None) -> None:
        super().__init__()
        self.chunk_book = chunk_book


@asynccontextmanager
async def book(url: str) -> AsyncIterator[RecordedChunks]:
    """Where the holder of a tournament's lease keeps chunks, in a new database."""
    scheduled(url, 1)
    with Database(url) as database, database.lease(1) as lease:
        async with database.recorder(lease=lease, delegates=True) as recorder:
            assert recorder.delegation is not None
            yield RecordedChunks(recorder, recorder.delegation)


async def asks(task: int, ports: Ports) -> int:
    """So many calls of a game, one after another; those of other games come in between."""
    needs = CallNeeds(MODEL, 500, WORST)
    for _ in range(task):
        grant = await ports.clearance.ask(needs)
        await asyncio.sleep(0)
        ports.clearance.give_back(Returned(grant.grant_id, Ending.ANSWERED, WORST / 2, 400))
    return task


def granted(size: Size, *, chunks: bool, url: str | None = None) -> Sample:
    """Grants, by the CPU of the process that grants them; chunks are on record in the database of
    this URL, where there is one."""

    async def main() -> Sample:
        limits, budget = Limits(proven=[MODEL]), Budget(1e6)
        client = Client(registry.provider, policy=registry.policy)
        pool = WorkerPool(WORKERS, WorkerProcess.started, [])
        await pool.start()
        kept: AbstractAsyncContextManager[RecordedChunks | None]
        kept = nullcontext() if url is None else book(url)

        async def game(calls: int, chunk_book: RecordedChunks | None) -> int:
            with LocalClearance(limits, budget) as clearance:
                port = OnRecord(chunk_book)
                ports = Ports(port, clearance if chunks else OneAtATime(clearance), client)
                return await pool.call(asks, calls, ports)

        try:
            async with kept as chunk_book:
                await asyncio.gather(*(game(1, chunk_book) for _ in range(WORKERS)))
                cpu, wall = time.process_time(), time.perf_counter()
                games = (game(size.calls, chunk_book) for _ in range(WORKERS * size.games))
                done = await asyncio.gather(*games)
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
    """Chunks over single grants, on record over in memory, and over a row for each."""
    size = TOY if toy else FULL
    lane = workers.of("clearance")
    chunks: list[Sample] = []
    single: list[Sample] = []
    rows: list[Sample] = []
    on_record: list[Sample] = []
    with postgresql() as fresh:
        for _ in range(size.repetitions):
            single.append(lane.run(granted, size=size, chunks=False))
            chunks.append(lane.run(granted, size=size, chunks=True))
            on_record.append(lane.run(granted, size=size, chunks=True, url=fresh()))
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
            f"grants to {WORKERS} workers per second of its CPU: chunks in PostgreSQL / in memory",
            ratios([each.per_cpu for each in on_record], [each.per_cpu for each in chunks]),
            numbers={
                "grants/s in PostgreSQL": median([each.per_second for each in on_record]),
                "grants/s in memory": median(rates),
                "CPU us a call in PostgreSQL": 1e6 / median([each.per_cpu for each in on_record]),
            },
        ),
        Row(
            PART,
            f"grants/s to {WORKERS} workers: in chunks / an UPDATE of a row in PostgreSQL each",
            ratios(rates, through),
            numbers={**mine, "by a row grants/s": median(through)},
        ),
    ]
