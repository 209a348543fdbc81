"""How long a database's ratings take to be read, computed again and compared, and in what memory.

The games are those of `bench.games`; each has moved two pools, its environment's and its
tournament's, so a million of them are six million players and twelve million steps.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlmodel import Session

import arena.leaderboard.rebuild
from arena.core import Games
from arena.ratings.online.fold import fold, pool_after
from arena.ratings.trueskill import TrueSkill
from bench.games import mafia_games
from bench.leaderboard import AGENTS, fill
from bench.measure import Row, median, peak_memory
from bench.workers import Worker
from db import get_engine
from db.queries.folds import folded_games


def making(database: Path, games: int) -> None:
    """A database with `games` games, and the ratings and steps that they make."""
    played = mafia_games(games, random.Random(3), AGENTS)
    pool, changes = fold(played, TrueSkill())
    fill(database, played, pool, changes)


def checking(database: Path, rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU, round by round: `check` reads, computes and compares all; `load` reads the
    games into columns, `compute` makes a pool of them. `MiB` is what the checks have added to
    memory, measured before whole columns are loaded."""
    found: dict[str, list[float]] = {name: [] for name in ("check", "load", "compute", "MiB")}
    idle = peak_memory()
    for _ in range(rounds):
        start = time.process_time()
        report = arena.leaderboard.rebuild.rebuild(database, check=True)
        found["check"].append(time.process_time() - start)
        if report.differences:
            raise RuntimeError(f"the ratings of the database are not those of its games: {report}")
    found["MiB"].append(peak_memory() - idle)
    engine = get_engine(database)
    for _ in range(rounds):
        start = time.process_time()
        with Session(engine) as session:
            rows = folded_games(session)
        loaded = time.process_time()
        pool_after(Games(rows.sizes, rows.agents, rows.teams, rows.ranks), TrueSkill())
        found["load"].append(loaded - start)
        found["compute"].append(time.process_time() - loaded)
    engine.dispose()
    return found


def measure(maker: Worker, reader: Worker, *, games: int, rounds: int) -> list[Row]:
    """Seconds for a million games, by what is done, and the memory that a check adds."""
    with TemporaryDirectory() as folder:
        database = Path(folder) / "rebuild.db"
        maker.run(making, database=database, games=games)
        found = reader.run(checking, database=database, rounds=rounds)
    million = {name: [1e6 * value / games for value in found[name]] for name in found}
    parts = {f"{name} s": median(million[name]) for name in ("load", "compute")}
    return [
        Row(
            "ratings",
            f"CPU of `ratings rebuild --check` for a million games, measured over {games:,}",
            million["check"],
            unit="s",
            numbers=parts,
        ),
        Row(
            "ratings",
            f"memory that `ratings rebuild --check` of {games:,} games adds",
            found["MiB"],
            unit="MiB",
        ),
    ]
