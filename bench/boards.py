"""Boards and head to head from the store at any number of games, and `probit` with 100 games more.

CPU of the question alone, in a process that has everything imported.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from arena.core import Games
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.meetings import meetings
from arena.leaderboard.stored import answered, keep
from arena.ratings.probit import Probit
from bench.generated import Scale, generate
from bench.measure import Row, median
from bench.workers import Worker, Workers
from db import Database
from db.selection import Selection

PART = "boards"
MORE, PLAYERS = 100, 6
SOURCES, TEXTS = 16, 1_000
"""Games that are played, and those with turns on record, which none of the questions reads."""


def asking(games: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU, round by round, of each question to a database of so many games."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "arena.db"
        generate(path, Scale(games, texts=min(games, TEXTS), sources=min(games, SOURCES)))
        with Database(path) as database:
            everything = LeaderboardQuery()
            cup = LeaderboardQuery(Selection(tournament="cup 0"))
            made = 0.0
            for query in (everything, cup):
                start = time.process_time()
                with database.session() as session:
                    answer = answered(session, query)
                made = made or time.process_time() - start
                keep(database, answer)

            def read(query: LeaderboardQuery) -> None:
                with database.session() as session:
                    if not answered(session, query).stored:
                        raise RuntimeError("the board was computed, not read")

            def met(by: Any) -> None:
                with database.session() as session:
                    meetings(session, everything, by)

            ways: dict[str, Callable[[], None]] = {
                "board": lambda: read(everything),
                "board of a tournament": lambda: read(cup),
                "head to head": lambda: met("agent"),
                "head to head by role": lambda: met("role"),
            }
            found: dict[str, list[float]] = {"computed": [made], **{name: [] for name in ways}}
            for turn in range(rounds + 1):
                for name, way in ways.items():
                    start = time.process_time()
                    way()
                    # The first round compiles queries.
                    if turn:
                        found[name].append(time.process_time() - start)
    return found


def refitting(games: int, agents: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU of a fit of all games, and of all and MORE from the counts of all."""
    played = mafia(games + MORE, agents)
    seats = games * PLAYERS
    first = replace(
        played,
        sizes=played.sizes[:games],
        agents=played.agents[:seats],
        teams=played.teams[:seats],
        ranks=played.ranks[:seats],
        roles=played.roles[:seats],
    )
    _, before = Probit().fit_more(first, None)
    found: dict[str, list[float]] = {"from the start": [], "from counts": []}
    for _ in range(rounds):
        for name, known in (("from the start", None), ("from counts", before)):
            start = time.process_time()
            Probit().fit_more(played, known)
            found[name].append(time.process_time() - start)
    return found


def mafia(games: int, agents: int) -> Games:
    """Two against four, whom it is worth seating alike; who wins depends on skill."""
    rng = np.random.default_rng(1)
    skill = rng.normal(0.0, 3.0, agents)
    seated = np.argsort(rng.random((games, agents)), axis=1)[:, :PLAYERS]
    lead = skill[seated[:, :2]].sum(axis=1) - skill[seated[:, 2:]].sum(axis=1)
    won = lead + 6.0 + rng.normal(0.0, 10.0, games) > 0.0
    teams = np.tile([0, 0, 1, 1, 1, 1], (games, 1))
    return Games(
        sizes=np.full(games, PLAYERS),
        agents=seated.ravel() + 1,
        teams=teams.ravel(),
        ranks=np.where(won[:, None], teams, 1 - teams).ravel(),
        roles=np.tile([0, 0, 1, 2, 3, 3], games),
        role_names=("Mafia", "Doctor", "Detective", "Villager"),
    )


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """Questions at a thousand games and at a hundred thousand, and the fit."""
    worker: Worker = workers.of("boards")
    few, many, rounds = (10, 10, 1) if toy else (1_000, 100_000, 7)
    large = worker.run(asking, games=many, rounds=rounds)
    small = large if toy else worker.run(asking, games=few, rounds=rounds)
    rows = [
        Row(
            PART,
            f"{name} at {many:,} games",
            [seconds * 1e3 for seconds in large[name]],
            unit="ms",
            target=50.0,
            at_most=True,
            numbers={f"at {few:,} games ms": median(small[name]) * 1e3},
        )
        for name in small
        if name != "computed"
    ]
    rows.append(
        Row(
            PART,
            f"a board computed at {many:,} games",
            large["computed"],
            unit="s",
            numbers={f"at {few:,} games s": median(small["computed"])},
        )
    )
    for agents in (12,) if toy else (12, 100):
        found = worker.run(refitting, games=many, agents=agents, rounds=rounds)
        rows.append(
            Row(
                PART,
                f"probit with {MORE} games more than {many:,}, {agents} agents",
                found["from counts"],
                unit="s",
                target=0.3,
                at_most=True,
                numbers={"from the start s": median(found["from the start"])},
            )
        )
    return rows
