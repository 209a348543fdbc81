"""Thousands of games in flight against a server on loopback: calls a second beside the ideal.

The ideal is concurrency / latency: no game would wait for anything but its provider. A rate is
taken between two answers that are a whole number of rounds apart (a round is one call of every
game), after the rounds in which the games begin. Beside it stand the latency and the lag that the
arena has on record, and its most memory: of one process, where it plays in one.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import col, func, select

from arena.cli.process import playing
from arena.orchestrator import Progress, run
from arena.orchestrator.file_limits import allow_files
from arena.reports.call_times import CallTimes
from bench.measure import Row, median, peak_memory
from bench.server import LoopbackServer
from bench.tournaments import config
from bench.workers import Workers
from db import GameTurn, get_session

PART = "in_flight"
# A name on the price list, as a hosted model's is.
MODEL = "openai/gpt-4o-mini"
SHORTEST_GAME = 20  # turns


@dataclass(frozen=True, slots=True)
class Cell:
    """A latency in seconds, the games in flight, the executor that plays them, and the rounds
    before and in the window. `target` is the least part of the ideal, `most` the most MiB;
    `time_limit` is that of a turn, longer than the latency: no turn may lapse."""

    latency: float
    games: int
    executor: str
    before: int
    rounds: int
    target: float | None = None
    repetitions: int = 3
    most: float | None = None
    time_limit: float | None = None

    @property
    def calls(self) -> int:
        return (self.before + self.rounds) * self.games

    @property
    def said(self) -> str:
        how = "one process" if self.executor == "local" else self.executor
        limit = "" if self.time_limit is None else f", time_limit {self.time_limit:g}"
        return f"{self.latency:g} s, {self.games:,} in flight, {how}{limit}"


FULL = (
    Cell(0.5, 1000, "local", 6, 12, 0.5),
    Cell(0.5, 1000, "processes", 6, 12, 0.8),
    Cell(5, 5000, "local", 2, 3, 0.95, repetitions=1, most=1536.0),
    Cell(5, 3000, "local", 2, 3, repetitions=1, time_limit=12.0),
)
TOY = (Cell(0.01, 3, "local", 1, 2, 0.5, repetitions=1, most=1536.0, time_limit=12.0),)


def in_flight(url: str, database: Path, cell: Cell) -> tuple[float, CallTimes]:
    """Play until the calls of a cell were made: the most memory that was held, in MiB, and how long
    calls took. Raises RuntimeError for a void game, and for a turn that lapsed."""
    last: list[Progress] = []

    async def until() -> None:
        task: asyncio.Task[object]

        def look(progress: Progress) -> None:
            last[:] = [progress]
            if progress.games_void:
                raise RuntimeError("a game against the loopback server is void")
            if progress.calls >= cell.calls + cell.games:
                task.cancel()

        total = cell.games + cell.calls // SHORTEST_GAME + 1
        tournament = config(
            MODEL,
            games=total,
            concurrency=cell.games,
            api_base=url,
            executor=cell.executor,
        )
        rules = tournament.environment.model_copy(update={"time_limit": cell.time_limit})
        tournament = tournament.model_copy(update={"environment": rules})
        allow_files(cell.games)
        task = asyncio.create_task(run(tournament, url=database, on_progress=playing(look)))
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(until())
    with get_session(database, create=False) as session:
        late = select(func.count()).where(col(GameTurn.lapse) == "time_limit")
        if lapses := session.exec(late).one():
            raise RuntimeError(f"{lapses} turns lapsed of a provider that answers in time")
    return peak_memory(), last[-1].times


def rate(times: Sequence[float], cell: Cell) -> float:
    """Calls a second in the cell's window."""
    first, last = cell.before * cell.games - 1, cell.calls - 1
    return (last - first) / (times[last] - times[first])


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """A row for each cell, and one for its memory where that is bounded."""
    rows: list[Row] = []
    allow_files(max(cell.games for cell in (TOY if toy else FULL)))
    with TemporaryDirectory() as folder, LoopbackServer() as server:
        for cell in TOY if toy else FULL:
            rows += _cell(workers, server, Path(folder), cell)
    return rows


def _cell(workers: Workers, server: LoopbackServer, folder: Path, cell: Cell) -> list[Row]:
    # Imports, the lean path and the first connections are nobody's who is measured.
    arena = workers.of(f"in flight {cell.executor}")
    warm = replace(cell, games=2, latency=0.01, before=1, rounds=2)
    name = f"{cell.latency}-{cell.games}-{cell.executor}"
    arena.run(
        in_flight,
        url=server.url(f"warm-{name}", warm.latency, warm.games),
        database=folder / f"warm-{name}.db",
        cell=warm,
    )
    rates, held = [], 0.0
    times: list[CallTimes] = []
    for turn in range(cell.repetitions):
        lane = f"{name}-{turn}"
        url = server.url(lane, cell.latency, cell.games)
        peak, took = arena.run(in_flight, url=url, database=folder / f"{lane}.db", cell=cell)
        rates.append(rate(server.times(lane), cell))
        held = max(held, peak)
        times.append(took)
        print(f"        {cell.said}: {rates[-1]:.4g} calls/s; {took.said}", file=sys.stderr)
    ideal = cell.games / cell.latency
    rows = [
        Row(
            PART,
            f"{cell.said}: calls a second / concurrency / latency",
            [each / ideal for each in rates],
            target=cell.target,
            numbers={"calls/s": median(rates), "ideal": ideal, **_times(times)},
        )
    ]
    if cell.most is not None:
        rows.append(
            Row(
                PART,
                f"{cell.said}: peak memory",
                [held],
                unit="MiB",
                target=cell.most,
                at_most=True,
            )
        )
    if cell.time_limit is not None:
        found = [each.latency.p95 for each in times if each.latency is not None]
        rows.append(
            Row(
                PART,
                f"{cell.said}: 95th percentile of the latency on record / the provider's",
                [each / 1e3 / cell.latency for each in found],
                target=1.1,
                at_most=True,
                numbers=_times(times),
            )
        )
    return rows


def _times(found: Sequence[CallTimes]) -> dict[str, float]:
    """Median and 95th percentile of latency and lag, in milliseconds."""
    numbers = {}
    for name in ("latency", "lag"):
        those = [each for times in found if (each := getattr(times, name)) is not None]
        if those:
            numbers[f"{name} ms"] = median([each.median for each in those])
            numbers[f"{name} p95 ms"] = median([each.p95 for each in those])
    return numbers
