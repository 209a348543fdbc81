"""A run beside ten people who watch it: the same run in turn without them and with them.

They hold the streams of `arena view`, which is a process of its own, and ask for their page as its
script does: when something has moved, and no sooner than a second after the last.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.arena import Played, play
from bench.measure import Row, ratios
from bench.workers import Workers
from db import init_db

PART = "viewers"
VIEWERS = 10
_SPACE_S = 0.9
_WATCHED = (
    ("/t/bench", "tournament-1"),
    ("/tournaments", "tournaments-0"),
    ("/", "all-0"),
    ("/games", "all-0"),
    ("/t/bench", "tournament-1"),
)


@dataclass(frozen=True, slots=True)
class Size:
    """Of each of the runs that are compared, and how many pairs of them."""

    games: int
    concurrency: int
    pairs: int


FULL = Size(games=60, concurrency=24, pairs=7)
TOY = Size(games=2, concurrency=2, pairs=1)


async def _watch(address: str, seconds: float) -> int:
    """Ten viewers for so many seconds; how many pages they have asked for."""
    pages = itertools.count()
    home = httpx.URL(address).copy_with(path="/", query=None)
    limits = httpx.Limits(max_connections=4 * VIEWERS)
    async with httpx.AsyncClient(
        base_url=home, trust_env=False, timeout=60, limits=limits
    ) as browser:
        await browser.get(address)

        async def view(path: str, about: str) -> None:
            async with browser.stream("GET", f"/live?about={about}&state=") as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("event: moved"):
                        begun = time.monotonic()
                        await browser.get(path)
                        next(pages)
                        await asyncio.sleep(_SPACE_S + 9 * (time.monotonic() - begun))

        views = [
            asyncio.create_task(view(*_WATCHED[number % len(_WATCHED)]))
            for number in range(VIEWERS)
        ]
        await asyncio.wait(views, timeout=seconds)
        for each in views:
            each.cancel()
        await asyncio.gather(*views, return_exceptions=True)
    return next(pages)


def watch(address: str, seconds: float) -> int:
    """The same, in a process of its own."""
    return asyncio.run(_watch(address, seconds))


@contextmanager
def _served(file: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "arena.cli", "view", "--db", str(file), "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.send_signal(signal.SIGINT)


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """The time of the run and its CPU, with viewers over without."""
    size = TOY if toy else FULL
    player, viewers = workers.of("player"), workers.of("viewers")
    found: dict[bool, list[Played]] = {False: [], True: []}
    asked = 0
    with TemporaryDirectory() as folder:
        for pair in range(size.pairs + 1):
            # Whoever is second finds what is warm: they take turns.
            for watched in (False, True) if pair % 2 else (True, False):
                file = Path(folder) / f"{pair}-{watched}.db"
                init_db(file)
                with _served(file) as address:
                    how = {"model": "bench-fixed", "database": file, "games": size.games,
                           "concurrency": size.concurrency, "rounds": 3}  # fmt: skip
                    if not watched or toy:
                        played = player.run(play, **how)
                    else:
                        seconds = found[False][-1].steady.wall if found[False] else 10.0
                        seen = viewers.start(watch, address=address, seconds=seconds + 3)
                        played = player.run(play, **how)
                        asked += seen()
                # The first pair warms up.
                if pair or toy:
                    found[watched].append(played)
    alone, beside = found[False], found[True]
    numbers = {"pages that were asked for": float(asked)}
    return [
        Row(
            PART,
            f"time of a run beside {VIEWERS} viewers / without them",
            ratios([each.steady.wall for each in beside], [each.steady.wall for each in alone]),
            target=1.05,
            at_most=True,
            numbers=numbers,
        ),
        Row(
            PART,
            f"CPU of a run beside {VIEWERS} viewers / without them",
            ratios([each.steady.cpu for each in beside], [each.steady.cpu for each in alone]),
            target=1.05,
            at_most=True,
        ),
    ]
