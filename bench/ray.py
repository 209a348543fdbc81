"""Committed turns a second into PostgreSQL: four workers of a Ray on this machine beside four local
processes, on the same work over loopback HTTP.

Both record their own games, ask this process for clearance and are given the same games; what
differs is how messages reach them. A rate is taken as in `bench.executors`.
"""

from __future__ import annotations

import sys

from bench.executors import ExecutorCell, turns_per_second
from bench.measure import Row, median, ratios
from bench.postgres import postgresql
from bench.server import LoopbackServer
from bench.workers import Workers

PART = "ray"
WORKERS = 4
# What each takes beside how many workers; Ray gives a worker no CPU of its own here.
EXECUTORS: dict[str, dict[str, object]] = {
    "ray": {"actor": {"num_cpus": 0}},
    "processes": {},
}

FULL = ExecutorCell(games=300, in_flight=100, before=10, repetitions=3)
TOY = ExecutorCell(games=4, in_flight=4, before=1, repetitions=1)


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row: workers of Ray over processes."""
    cell = TOY if toy else FULL
    found: dict[str, list[float]] = {name: [] for name in EXECUTORS}
    with LoopbackServer() as server, postgresql() as fresh:
        for turn in range(cell.repetitions):
            for name, options in EXECUTORS.items():
                rate = workers.of(f"executor {name}").run(
                    turns_per_second,
                    url=server.url(f"ray-{name}-{turn}", 0, cell.in_flight),
                    database=fresh(),
                    cell=cell,
                    executor=name,
                    options={"workers": WORKERS, **options},
                )
                print(f"        {name}: {rate:,.0f} turns/s", file=sys.stderr)
                found[name].append(rate)
    return [
        Row(
            PART,
            f"turns/s over HTTP into PostgreSQL: {WORKERS} workers of Ray / {WORKERS} processes",
            ratios(found["ray"], found["processes"]),
            target=0.9,
            numbers={f"{name} turns/s": median(rates) for name, rates in found.items()},
        )
    ]
