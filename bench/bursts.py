"""Long answers that come at once: for how long anything of ours holds the event loop.

Games on SQLite in which half of the agents are answered with half a megabyte in one body, or with
10,000 events that come together, in each of the three protocols; from the first call to the end.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.config import parse
from arena.core.collector import set_aside
from arena.orchestrator import Progress, run
from bench.measure import Row, median
from bench.recorder import TICK, idle
from bench.workers import Workers
from tests.servers.bursts import burst_server
from torture.bursts import PROTOCOLS, tournament

PART = "bursts"


@dataclass(frozen=True, slots=True)
class Size:
    chunks: int
    characters: int
    games: int
    turns: int
    repetitions: int


FULL = Size(chunks=10_000, characters=500_000, games=1, turns=8, repetitions=3)
TOY = Size(chunks=20, characters=1_000, games=1, turns=3, repetitions=1)


@dataclass(slots=True)
class Held:
    """The longest times, in seconds, for which the event loop was held: `own` is the most CPU that
    its thread used between two looks, `late` the most by which a look was late."""

    own: float = 0.0
    late: float = 0.0

    async def watch(self) -> None:
        while True:
            due, used = time.perf_counter() + TICK, time.thread_time()
            await asyncio.sleep(TICK)
            self.late = max(self.late, time.perf_counter() - due)
            self.own = max(self.own, time.thread_time() - used)


def played(
    protocol: str, stream: bool, bursts: str, others: str, database: Path, size: Size
) -> Held:
    """Play a tournament and watch the loop."""
    file = tournament(
        "bursts",
        protocol,
        bursts,
        others,
        stream=stream,
        games=size.games,
        turns=size.turns,
        time_limit=600,
    )

    async def main() -> Held:
        held = Held()
        watching: list[asyncio.Task[None]] = []

        def begin(progress: Progress) -> None:
            if not watching:
                set_aside()
                watching.append(asyncio.create_task(held.watch()))

        summary = await run(parse(file), url=database, on_progress=begin)
        if summary.games_completed != size.games:
            raise RuntimeError(f"games against the loopback servers are void: {summary}")
        for task in watching:
            task.cancel()
        return held

    return asyncio.run(main())


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    size = TOY if toy else FULL
    rows = []
    with (
        TemporaryDirectory() as folder,
        burst_server(size.chunks, size.characters) as bursts,
        burst_server(1, 10) as others,
    ):
        for protocol, stream in itertools.product(PROTOCOLS, (True, False)):
            lane = workers.of("bursts")
            found = [
                lane.run(
                    played,
                    protocol=protocol,
                    stream=stream,
                    bursts=bursts,
                    others=others,
                    database=Path(folder, f"{protocol}-{stream}-{turn}.db"),
                    size=size,
                )
                for turn in range(size.repetitions)
            ]
            form = f"{size.chunks:,} events at once" if stream else "one body"
            rows.append(
                Row(
                    PART,
                    f"{protocol}, {form}: CPU for which the loop was held, at the longest",
                    [held.own * 1e3 for held in found],
                    unit="ms",
                    target=20.0,
                    at_most=True,
                    numbers={
                        "characters an answer": size.characters,
                        "loop late ms": median([held.late for held in found]) * 1e3,
                        "idle loop, same machine ms": lane.run(idle, seconds=0.1 if toy else 5.0)
                        * 1e3,
                    },
                )
            )
    return rows
