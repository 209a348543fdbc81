"""What events, counters and positions cost a run that writes them when each game finishes.

The same games are played with them and without, in turn, each way in a process of its own; the
second gathers no events and writes no counters, and rates as the first does.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from bench.arena import Played, play
from bench.measure import Row, median, ratios
from bench.workers import Workers

PART = "projections"
MODEL = "bench-talk"


def play_without(
    model: str, database: Path, games: int, concurrency: int, rounds: int, turn_limit: int = 500
) -> Played:
    """The tournament of `play`, without events, counters and positions."""
    from arena.events.gathering import EventsGatherer
    from arena.game import rules
    from db import recorder
    from db.writer import counters, positions
    from db.writer.batches import BatchWriter
    from db.writer.subjects import SUBJECTS

    class Silent(EventsGatherer):
        @classmethod
        def of(cls, environment: object, num_players: int) -> EventsGatherer:
            return EventsGatherer(None, None, num_players)

    left = tuple(s for s in SUBJECTS if s not in (counters.SUBJECT, positions.SUBJECT))
    with (
        patch.object(rules, "EventsGatherer", Silent),
        patch.object(recorder, "BatchWriter", partial(BatchWriter, subjects=left)),
    ):
        return play(model, database, games, concurrency, rounds, turn_limit)


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row: CPU of a turn with them over CPU without."""
    games, rounds = (2, 1) if toy else (24, 7)
    whole = {"model": MODEL, "games": games, "concurrency": 24, "rounds": 3}
    ways = {"with": play, "without": play_without}
    used: dict[str, list[float]] = {name: [] for name in ways}
    with TemporaryDirectory() as folder:
        for turn in range(rounds + (not toy)):
            # Each goes first half of the time.
            for name in sorted(ways, reverse=bool(turn % 2)):
                database = Path(folder) / f"{name}-{turn}.db"
                played = workers.of(name).run(ways[name], database=database, **whole).steady
                if turn or toy:
                    used[name].append(1e3 / played.per_cpu)
    return [
        Row(
            PART,
            "CPU of a turn, with events, counters and positions / without",
            ratios(used["with"], used["without"]),
            target=1.05,
            at_most=True,
            numbers={f"{name}, ms": median(found) for name, found in used.items()},
        )
    ]
