"""Committed turns a second over loopback HTTP: worker processes beside one process.

The server answers at once and has a process of its own, so that on two CPUs the workers never have
both to themselves. A rate is taken while as many games play as may: no start, and no draining.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from arena.cli.process import playing
from arena.executors.workers.cpus import usable_cpus
from arena.orchestrator import Progress, run
from bench.measure import Row, median, ratios
from bench.server import LoopbackServer
from bench.tournaments import config
from bench.workers import Workers

PART = "executors"
MODEL = "openai/gpt-4o-mini"
EXECUTORS = ("local", "processes")


@dataclass(frozen=True, slots=True)
class ExecutorCell:
    """Games in all and at once, and the turns of each that are played before the window."""

    games: int
    in_flight: int
    before: int
    repetitions: int


FULL = ExecutorCell(games=600, in_flight=200, before=10, repetitions=3)
TOY = ExecutorCell(games=4, in_flight=2, before=1, repetitions=1)


def turns_per_second(
    url: str,
    database: Path | str,
    cell: ExecutorCell,
    executor: str,
    options: Mapping[str, Any] | None = None,
) -> float:
    """Play a tournament by an executor with these options, and how fast its turns were
    committed."""
    marks: list[tuple[float, int]] = []

    def mark(progress: Progress) -> None:
        full = progress.games_running >= cell.in_flight
        if full and progress.turns >= cell.before * cell.in_flight:
            marks.append((time.perf_counter(), progress.turns))

    played = config(
        MODEL, games=cell.games, concurrency=cell.in_flight, api_base=url, executor=executor
    ).model_copy(update={"executor_options": options or {}})
    summary = asyncio.run(run(played, url=database, on_progress=playing(mark)))
    if summary.games_completed != cell.games:
        raise RuntimeError(f"{summary.games_void} games are void: {summary.first_error}")
    if len(marks) < 2:
        return summary.turns / summary.elapsed
    (first, before), (last, after) = marks[0], marks[-1]
    return (after - before) / (last - first)


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row: two or more processes over one."""
    cell = TOY if toy else FULL
    found: dict[str, list[float]] = {name: [] for name in EXECUTORS}
    with TemporaryDirectory() as folder, LoopbackServer() as server:
        for turn in range(cell.repetitions):
            for name in EXECUTORS:
                lane = f"executors-{name}-{turn}"
                rate = workers.of(f"executor {name}").run(
                    turns_per_second,
                    url=server.url(lane, 0, cell.in_flight),
                    database=Path(folder) / f"{lane}.db",
                    cell=cell,
                    executor=name,
                )
                print(f"        {name}: {rate:,.0f} turns/s", file=sys.stderr)
                found[name].append(rate)
    return [
        Row(
            PART,
            f"turns/s over HTTP into SQLite: {usable_cpus()} workers / one process",
            ratios(found["processes"], found["local"]),
            target=1.5 if usable_cpus() == 2 else None,
            numbers={f"{name} turns/s": median(rates) for name, rates in found.items()},
        )
    ]
