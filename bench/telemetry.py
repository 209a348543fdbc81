"""What telling a collector of a run costs: the same tournament with telemetry and without it.

Noughts and crosses, played by a provider that answers at once in the process of the run, every turn
committed to SQLite: nothing is measured but the arena itself, which is the dearest case for
telemetry, since a turn takes no time of anybody's. The collector is a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.config import parse
from arena.orchestrator import run
from arena.telemetry import telemetry
from bench.measure import Row, Sample, median
from bench.workers import Workers

PART = "telemetry"


@dataclass(frozen=True, slots=True)
class Size:
    """`games` of a tournament, `in_flight` at once, played `repeats` times each way."""

    games: int
    in_flight: int
    repeats: int


FULL = Size(games=600, in_flight=50, repeats=5)
TOY = Size(games=6, in_flight=2, repeats=1)


@contextmanager
def _collector() -> Iterator[str]:
    """The address of a collector on loopback, in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.otlp_collector"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def played(database: Path, size: Size, *, told: bool) -> Sample:
    """Play a tournament, and send what there is to send to its end: turns, CPU of all threads."""
    config = parse(
        {
            "name": "told",
            "seed": 7,
            "environment": {"name": "TicTacToe-v0", "players": 2},
            "games": size.games,
            "concurrency": size.in_flight,
            "executor": "local",
            "matchmaker": {"name": "random"},
            "models": [{"name": "one", "litellm_model": "own/one", "provider": "bench-instant"}],
            "prompts": [{"name": "plain", "text": "You are {{vars.name}}."}],
            "agents": [
                {"name": name, "model": "one", "prompt": "plain", "vars": {"name": name}}
                for name in "ABCDEF"
            ],
        }
    )
    lost: list[str] = []
    cpu, wall = time.process_time(), time.monotonic()
    if told:
        with telemetry(lost.append) as sending:
            summary = asyncio.run(run(config, url=database, listeners=sending.listeners))
    else:
        summary = asyncio.run(run(config, url=database))
    sample = Sample(summary.turns, time.process_time() - cpu, time.monotonic() - wall)
    if lost or summary.games_completed != size.games:
        raise RuntimeError(f"{lost or summary.first_error}")
    return sample


def both(folder: Path, size: Size) -> list[tuple[Sample, Sample]]:
    """Pairs of runs, without telemetry and with it, one after the other."""
    played(folder / "warm.db", TOY, told=False)
    with _collector() as url:
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
        played(folder / "told.db", TOY, told=True)
        return [
            (
                played(folder / f"plain{at}.db", size, told=False),
                played(folder / f"told{at}.db", size, told=True),
            )
            for at in range(size.repeats)
        ]


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """CPU a turn with telemetry over that without, and what that is in milliseconds."""
    size = TOY if toy else FULL
    with TemporaryDirectory() as folder:
        pairs = workers.of("telemetry").run(both, folder=Path(folder), size=size)
    return [
        Row(
            PART,
            "CPU a turn of a run that tells a collector of everything, over one that tells nobody",
            [plain.per_cpu / told.per_cpu for plain, told in pairs],
            numbers={
                "ms of CPU a turn without": median([1e3 / plain.per_cpu for plain, _ in pairs]),
                "with": median([1e3 / told.per_cpu for _, told in pairs]),
            },
            note="a turn and a call are two spans; models that answer at once, the dearest case",
        ),
    ]
