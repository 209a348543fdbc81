"""Whole tournaments over loopback HTTP, in calls per second of CPU: the arena, the arena as it was
before the lean path, and Inspect AI making the same calls to the same server.

Everything is on record in all three: the arena's in SQLite, every turn committed before the next;
Inspect's in its log. The server has a process of its own and answers at once.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from arena.cli.process import playing
from arena.orchestrator import Progress, run
from bench.earlier import BEFORE_LEAN, NoHistory, earlier
from bench.inspect_ai import inspecting
from bench.measure import Row, Sample, median, ratios
from bench.server import LoopbackServer
from bench.tournaments import config, conversations
from bench.workers import Workers

PART = "whole"
MODEL = "openai/gpt-4o-mini"
# `make` puts it there, apart from our own packages, whose versions differ from its own.
INSPECT = Path(sys.prefix) / "inspect"


@dataclass(frozen=True, slots=True)
class Size:
    games: int
    in_flight: int
    rounds: int
    repetitions: int


FULL = Size(games=64, in_flight=32, rounds=3, repetitions=5)
TOY = Size(games=2, in_flight=2, rounds=1, repetitions=1)


def tournament(url: str, database: Path, games: int, in_flight: int, rounds: int) -> Sample:
    """Play a tournament: its calls after the first two of each game, before which a model is
    learned, and what they took."""
    marks: list[Sample] = []

    def mark(progress: Progress) -> None:
        marks.append(Sample(progress.calls, time.process_time(), time.perf_counter()))

    played = config(MODEL, games=games, concurrency=in_flight, rounds=rounds, api_base=url)
    summary = asyncio.run(run(played, url=database, on_progress=playing(mark)))
    if summary.games_completed != games:
        raise RuntimeError(f"{summary.games_void} games of {games} are void: {summary.first_error}")
    first = next((one for one in marks[:-1] if one.count >= 2 * in_flight), marks[0])
    last = marks[-1]
    return Sample(last.count - first.count, last.cpu - first.cpu, last.wall - first.wall)


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row for each of those that the arena is beside."""
    size = TOY if toy else FULL
    with TemporaryDirectory() as folder, LoopbackServer() as server:
        lanes = _lanes(workers, server, Path(folder), size)
        found: dict[str, list[float]] = {name: [] for name in lanes}
        for turn in range(size.repetitions + 1):
            for name, lane in lanes.items():
                sample = lane(turn)
                # The first imports what the others use.
                if turn or toy:
                    found[name].append(sample.per_cpu)
    return _rows(found)


def _lanes(
    workers: Workers, server: LoopbackServer, folder: Path, size: Size
) -> dict[str, Callable[[int], Sample]]:
    """What plays once, by name; the argument tells one time from another."""

    def arena(name: str, before: Path | None) -> Callable[[int], Sample]:
        def play(turn: int) -> Sample:
            return workers.of(name, before).run(
                tournament,
                url=server.url(f"{name}-{turn}", 0, size.in_flight),
                database=folder / f"{name}-{turn}.db",
                games=size.games,
                in_flight=size.in_flight,
                rounds=size.rounds,
            )

        return play

    games: list[list[Any]] = []

    def inspect(turn: int) -> Sample:
        if not games:
            played = conversations(folder / "arena-0.db")
            games.extend([[*map(dict, call.messages)] for call in game] for game in played)
        return workers.of("inspect", INSPECT).run(
            inspecting,
            url=server.url(f"inspect-{turn}", 0, size.in_flight),
            logs=folder / f"inspect-{turn}",
            games=games,
            in_flight=size.in_flight,
        )

    lanes = {"arena": arena("arena", None)}
    try:
        lanes["before"] = arena("before", earlier(BEFORE_LEAN, folder))
    except NoHistory as error:
        print(f"        left out: {error}", file=sys.stderr)
    if INSPECT.is_dir():
        lanes["inspect"] = inspect
    else:
        print(
            f"        left out: no Inspect AI in {INSPECT}; type: make .venv/inspect/.installed",
            file=sys.stderr,
        )
    return lanes


def _rows(rates: dict[str, list[float]]) -> list[Row]:
    beside: Sequence[tuple[str, str, float]] = (
        ("before", f"the arena at {BEFORE_LEAN}", 5.0),
        ("inspect", "Inspect AI, its OpenAI provider", 8.0),
    )
    return [
        Row(
            PART,
            f"calls/CPU s over HTTP: arena / {what}",
            ratios(rates["arena"], rates[name]),
            target=target,
            numbers={
                "arena calls/CPU s": median(rates["arena"]),
                f"{name} calls/CPU s": median(rates[name]),
            },
        )
        for name, what, target in beside
        if name in rates
    ]
