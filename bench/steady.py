"""One long run: what a turn costs at its first games and at its last, and the memory that it holds.

Noughts and crosses, played by a provider that answers at once in the process of the run, so that
nothing is measured but the arena itself; every turn is committed to SQLite.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.cli.process import playing
from arena.config import parse
from arena.orchestrator import Progress, run
from bench.measure import Row, median, memory
from bench.workers import Workers

PART = "steady"


@dataclass(frozen=True, slots=True)
class Size:
    """`games` of one tournament, `part` of them at either end are compared."""

    games: int
    part: int
    in_flight: int


FULL = Size(games=100_000, part=5_000, in_flight=200)
TOY = Size(games=30, part=6, in_flight=2)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a run was when it said how it goes: games and turns so far, seconds of CPU of all its
    threads, and MiB that it held."""

    games: int
    turns: int
    cpu: float
    held: float


def long_run(database: Path, size: Size) -> list[Mark]:
    """Play a tournament from its first game to its last."""
    marks: list[Mark] = []

    def mark(progress: Progress) -> None:
        marks.append(Mark(progress.games_done, progress.turns, time.process_time(), memory()))

    config = parse(
        {
            "name": "steady",
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
    summary = asyncio.run(run(config, url=database, on_progress=playing(mark)))
    if summary.games_completed != size.games:
        raise RuntimeError(f"{summary.games_void} games are void: {summary.first_error}")
    return marks


def cost(marks: Sequence[Mark]) -> float:
    """Seconds of CPU a turn, from the first of these moments to the last."""
    return (marks[-1].cpu - marks[0].cpu) / max(marks[-1].turns - marks[0].turns, 1)


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """The cost of a turn and the memory at the end, each beside those at the beginning."""
    size = TOY if toy else FULL
    with TemporaryDirectory() as folder:
        marks = workers.of("steady").run(long_run, database=Path(folder) / "s.db", size=size)
    # The first games find nothing in any cache; a run ends with fewer and fewer in flight.
    begun = [m for m in marks if size.part <= m.games <= 2 * size.part]
    ended = [m for m in marks if size.games - size.part <= m.games <= size.games - size.in_flight]
    begun, ended = begun if len(begun) > 1 else marks[:2], ended if len(ended) > 1 else marks[-2:]
    held = [median([m.held for m in those]) for those in (begun, ended)]
    numbers = {"games": size.games, "turns": marks[-1].turns, "games in flight": size.in_flight}
    return [
        Row(
            PART,
            f"a turn at game {size.games:,} / at game {size.part:,}",
            [cost(ended) / cost(begun)],
            target=1.1,
            at_most=True,
            numbers={
                "last, CPU ms a turn": cost(ended) * 1e3,
                "first, CPU ms a turn": cost(begun) * 1e3,
                **numbers,
            },
        ),
        Row(
            PART,
            f"memory at game {size.games:,} / at game {size.part:,}",
            [held[1] / held[0]],
            target=1.1,
            at_most=True,
            numbers={"last, MiB": held[1], "first, MiB": held[0]},
        ),
    ]
