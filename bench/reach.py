"""What saturates first with more workers: workers, clearance, PostgreSQL or a provider.

    python -m bench.reach [--help]

A closed queueing network in virtual time: every game is a customer that waits for an answer, then
for its worker, clearance and the database, each first come, first served, and calls again. The
costs of a turn are measured by `python -m bench clearance writers`; give your own.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

STATIONS = ("the provider's limit", "the workers", "clearance", "PostgreSQL")

# At least so many turns are simulated, and two of each game; the first third is not counted.
_TURNS = 60_000
_SETTLING = 1 / 3


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one CPU that a turn takes in its worker, in the driver for its clearance, and in
    the database; those that a provider takes to answer; and the calls a minute that it lets
    through, None for all."""

    worker: float
    clearance: float
    database: float
    answer: float
    per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Turns a second, and how busy each station is, from 0 to 1."""

    workers: int
    games: int
    turns_per_second: float
    busy: dict[str, float]

    @property
    def first(self) -> str:
        """What saturates; "the answers" where nothing does: more games would play more turns."""
        name = max(self.busy, key=lambda name: self.busy[name])
        return name if self.busy[name] > 0.95 else "the answers"


def simulate(
    workers: int, games_each: int, costs: Costs, *, cores: int = 1, seed: int = 1
) -> Reach:
    """So many workers with so many games each; the database has so many `cores`."""
    rng = random.Random(seed)
    games = workers * games_each
    spacing = 60.0 / costs.per_minute if costs.per_minute else 0.0
    seconds_of = (spacing, costs.worker, costs.clearance, costs.database)
    free: list[list[float]] = [[0.0], [], [0.0], [0.0] * cores]
    own = [0.0] * workers
    used = [0.0] * len(STATIONS)
    order = itertools.count()
    # When a game comes to a station; what comes first is served first.
    coming = [(rng.uniform(0.0, costs.answer), next(order), game, 0) for game in range(games)]
    heapq.heapify(coming)
    turns, most = 0, max(_TURNS, 2 * games)
    begun_at, at, before = 0.0, 0.0, 0
    while turns < most:
        at, number, game, station = heapq.heappop(coming)
        seconds = seconds_of[station]
        used[station] += seconds
        if station == 1:
            worker = game % workers
            end = own[worker] = max(at, own[worker]) + seconds
        else:
            end = max(at, free[station][0]) + seconds
            heapq.heapreplace(free[station], end)
        if station == 0:
            end += rng.expovariate(1.0 / costs.answer)
        following = (station + 1) % len(STATIONS)
        heapq.heappush(coming, (end, next(order), game, following))
        if not station and number >= games:
            # A game calls again when its turn is on disk.
            turns += 1
            if turns == int(most * _SETTLING):
                begun_at, before, used = at, turns, [0.0] * len(STATIONS)
    lasted = max(at - begun_at, 1e-9)
    servers = (1, workers, 1, cores)
    busy = {name: used[place] / lasted / servers[place] for place, name in enumerate(STATIONS)}
    return Reach(workers, games, (turns - before) / lasted, busy)


def table(found: Sequence[Reach]) -> str:
    """One line for each number of workers."""
    names = list(found[0].busy)
    lines = [
        f"{'workers':>8}{'games':>9}{'turns/s':>9}  "
        + "".join(f"{n:>22}" for n in names)
        + "  first"
    ]
    for one in found:
        shares = "".join(f"{min(one.busy[name], 1.0):>22.0%}" for name in names)
        lines.append(
            f"{one.workers:>8,}{one.games:>9,}{one.turns_per_second:>9,.0f}  {shares}  {one.first}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.reach", description="What saturates first with more workers."
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[10, 100, 10_000])
    parser.add_argument("--games", type=int, default=20, help="of each worker")
    parser.add_argument("--answer", type=float, default=5.0, help="seconds of a call")
    parser.add_argument("--worker-ms", type=float, default=WORKER_MS, help="CPU of a turn there")
    parser.add_argument(
        "--clearance-ms", type=float, default=CLEARANCE_MS, help="CPU of the driver"
    )
    parser.add_argument("--database-ms", type=float, default=DATABASE_MS, help="of PostgreSQL")
    parser.add_argument("--cores", type=int, default=1, help="of the database's machine")
    parser.add_argument("--per-minute", type=float, help="calls that the provider lets through")
    options = parser.parse_args(arguments)
    costs = Costs(
        options.worker_ms / 1e3,
        options.clearance_ms / 1e3,
        options.database_ms / 1e3,
        options.answer,
        options.per_minute,
    )
    found = [
        simulate(workers, options.games, costs, cores=options.cores) for workers in options.workers
    ]
    print(table(found))
    return 0


# Milliseconds of CPU of one turn, as measured on the machine of docs/scale.md.
WORKER_MS, CLEARANCE_MS, DATABASE_MS = 2.0, 0.04, 1.8

if __name__ == "__main__":
    sys.exit(main())
