"""Computes the boards that pages ask for and nobody has stored: one worker, one board at a time."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.stored import answered, keep
from db import Database, get_session

_WAITING = 32
"""Questions that wait at most: the next one is asked again when its page is."""


class BoardWorker:
    """Keeps boards fresh beside the pages, which only read what is stored.

    It writes boards through a `source` of its own: the pages' connection cannot.
    """

    def __init__(self, source: Database) -> None:
        self._source = source
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="boards")
        self._lock = Lock()
        self._asked: dict[str, Future[str | None]] = {}

    def ask(self, query: LeaderboardQuery) -> str | None:
        """Have a board computed, unless it is being computed already. Why the last attempt failed,
        where it did: then it is not tried again until it is asked once more."""
        key = repr(query)
        with self._lock:
            running = self._asked.get(key)
            if running is not None and running.done():
                del self._asked[key]
                if (failed := running.result()) is not None:
                    return failed
            if key not in self._asked and len(self._asked) < _WAITING:
                self._asked[key] = self._pool.submit(self._compute, query)
        return None

    def close(self) -> None:
        """Wait for the board that is being computed; begin no other."""
        self._pool.shutdown(cancel_futures=True)

    def _compute(self, query: LeaderboardQuery) -> str | None:
        from arena.core import ArenaError
        from db.errors import DatabaseError

        try:
            with get_session(self._source, create=False) as session:
                answer = answered(session, query)
            if not keep(self._source, answer):
                return "the board cannot be stored: the database takes no rows"
        except (ArenaError, DatabaseError) as error:
            return str(error)
        return None
