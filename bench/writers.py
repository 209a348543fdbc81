"""Turns a second into one PostgreSQL: four processes that record beside one that does."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

from bench.measure import Row, Sample, median
from bench.postgres import postgresql
from bench.recorder import records_of, scheduled, still_heap, turns_of_a_game
from bench.workers import Workers
from db import Recorder

PART = "writers"
MANY = 4


@dataclass(frozen=True, slots=True)
class Size:
    """Games of each process at once, and the turns of each."""

    games: int
    turns: int
    repetitions: int


FULL = Size(games=64, turns=30, repetitions=3)
TOY = Size(games=2, turns=2, repetitions=1)


def written(database: str, games: list[int], turns: int) -> Sample:
    """Every game at once, each a task that waits for its own commits."""
    rng = random.Random(games[0])
    bodies = [turns_of_a_game(turns, rng) for _ in range(min(16, len(games)))]
    work = [
        [records_of(key, turn) for turn in bodies[index % len(bodies)]]
        for index, key in enumerate(games)
    ]

    async def game(recorder: Recorder, records: list[Any]) -> None:
        for before, after in records:
            await recorder.append(*before)
            await recorder.append(*after)

    async def main() -> Sample:
        async with Recorder(database) as recorder:
            cpu, wall = time.process_time(), time.perf_counter()
            await asyncio.gather(*(game(recorder, records) for records in work))
            return Sample(len(games) * turns, time.process_time() - cpu, time.perf_counter() - wall)

    with still_heap():
        return asyncio.run(main())


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """Four writers over one."""
    size = TOY if toy else FULL
    ratios: list[float] = []
    alone: list[float] = []
    together: list[float] = []
    cpu: list[float] = []
    with postgresql() as fresh:
        for _ in range(size.repetitions):
            url = fresh()
            keys = scheduled(url, size.games)
            one = workers.of("writer 0").run(written, database=url, games=keys, turns=size.turns)
            url = fresh()
            keys = scheduled(url, MANY * size.games)
            begun = time.perf_counter()
            # One after another where a test has a single process for all.
            lanes = [
                workers.of(f"writer {number}").start(
                    written, database=url, games=keys[number::MANY], turns=size.turns
                )
                for number in range(MANY)
            ]
            turns = sum(lane().count for lane in lanes)
            rate = turns / (time.perf_counter() - begun)
            ratios.append(rate / one.per_second)
            alone.append(one.per_second)
            together.append(rate)
            cpu.append(1e6 / one.per_cpu)
    return [
        Row(
            PART,
            f"turns/s into PostgreSQL: {MANY} writers / one",
            ratios,
            numbers={
                f"{MANY} writers turns/s": median(together),
                "one writer turns/s": median(alone),
                "CPU of a writer, us a turn": median(cpu),
            },
            note="the server and all writers share the machine",
        )
    ]
