"""Who holds the lease of tournament 1, and who wants it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import text

import db
from db import Database, Recorder, get_engine
from db.leases import Lease
from db.writer.games import GameStarted
from tests.db.tournaments import NOON

ROOT = str(Path(db.__file__).parent.parent)

HOLDER = """
import sys, time
from db import Database
lease = Database(sys.argv[1]).lease(1)
print(lease.fence, flush=True)
time.sleep(60)
"""


@contextmanager
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs tournament 1."""
    command = [sys.executable, "-c", HOLDER, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()
        try:
            yield process
        finally:
            process.kill()


class Waiting:
    """A clock that moves when somebody sleeps; `each` happens at every look."""

    def __init__(self, each: Callable[[], object] = lambda: None) -> None:
        self.now = 0.0
        self.looks = 0
        self.each = each

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.looks += 1
        self.each()

    def clock(self) -> float:
        return self.now


OPEN: dict[str, Database] = {}


def at(url: str) -> Database:
    """The database at this URL, opened once in a test."""
    return OPEN.setdefault(url, Database(url))


def challenge(url: str, waiting: Waiting) -> Lease:
    return at(url).lease(1, sleep=waiting.sleep, clock=waiting.clock)


def row(url: str) -> Any:
    engine = get_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT holder, fence, beat FROM leases")).one()
    engine.dispose()
    return found


def write(url: str, lease: Lease | None, *games: int) -> None:
    async def main() -> None:
        async with Recorder(url, lease=lease) as recorder:
            for game in games:
                await recorder.append(GameStarted(game, NOON))

    asyncio.run(main())


def elsewhere(url: str) -> None:
    """The holder is on another machine, as far as anybody can tell."""
    engine = get_engine(url)
    holder = json.dumps({"host": "far", "machine": "m", "pid": 77, "lock": "/nowhere"})
    with engine.begin() as connection:
        connection.execute(text("UPDATE leases SET holder = :holder"), {"holder": holder})
    engine.dispose()
