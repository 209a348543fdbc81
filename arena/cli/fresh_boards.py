"""Keeps stored boards fresh while a tournament is played."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db import Database

PAUSE, SHARE = 30.0, 20.0
"""Between two looks there are so many seconds, or SHARE times the CPU that the last one took."""


@contextmanager
def fresh_boards(database: Database, tournament: str, pause: float = PAUSE) -> Iterator[None]:
    """Have a thread compute the boards that are behind, and the tournament's own, for as long as
    the block lasts."""
    over = threading.Event()

    def work() -> None:
        waiting = pause
        while not over.wait(waiting):
            # A run that is over sooner does without the import.
            from arena.leaderboard import LeaderboardQuery
            from arena.leaderboard.stored import refresh
            from db.selection import Selection

            began = time.thread_time()
            refresh(database, [LeaderboardQuery(Selection(tournament=tournament))], over.is_set)
            waiting = max(pause, SHARE * (time.thread_time() - began))

    worker = threading.Thread(target=work, name="boards", daemon=True)
    worker.start()
    try:
        yield
        over.set()
        worker.join()
    finally:
        over.set()
