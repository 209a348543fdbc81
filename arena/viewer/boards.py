"""Computes what pages ask for and nobody has stored: one worker, one answer at a time. Boards are
stored, other answers are kept while the pages are served."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Lock, Timer
from typing import Any

from arena.core import ArenaError
from arena.leaderboard.query import LeaderboardQuery
from arena.leaderboard.stored import answered, keep
from arena.viewer.tracebacks import print_traceback
from db import Database, Session, get_session
from db.errors import DatabaseError
from db.repository import Repository

_WAITING = 32
"""Questions that wait at most: the next one is asked again when its page is."""
_KEPT = 200
"""Answers that are kept at most: the oldest goes first."""
_REST = 9.0
"""Times as long as a board took it is left alone, while games end faster than it is computed."""
_PATIENCE = 0.2
"""Seconds that a page waits for an answer that nobody has: most are there by then."""


@dataclass(frozen=True, slots=True)
class Computed:
    """An answer as far as it is there: `value` is None until the first one is, `behind` says that a
    newer one is being computed, `failed` why there is none."""

    value: Any = None
    behind: bool = False
    failed: str | None = None


class BoardWorker:
    """Keeps boards fresh beside the pages, which only read what is stored.

    It writes boards through a `source` of its own: the pages' connection cannot. What else pages
    write is written there too.
    """

    def __init__(self, source: Database) -> None:
        self.source = source
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="boards")
        # A board may take minutes, which what is asked beside it must not wait for.
        self._answers = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._lock = Lock()
        self._asked: dict[str, Future[str | None]] = {}
        self._kept: dict[str, tuple[str, Computed]] = {}
        self._open: dict[str, Future[None]] = {}
        self._rests: dict[str, float] = {}
        self._later: dict[str, Timer] = {}
        self.ended = 0
        """How many computations have ended: an open page watches it."""

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
            if key in self._asked or key in self._later:
                return None
            if sum(not each.done() for each in self._asked.values()) >= _WAITING:
                return None
            # Those that were computed are read from where they are stored; why others were not is
            # told once, or forgotten.
            for other in [other for other, each in self._asked.items() if each.done()][:-_WAITING]:
                del self._asked[other]
            rest = self._rests.get(key, 0.0) - time.monotonic()
            if rest <= 0:
                self._asked[key] = self._pool.submit(self._compute, query)
            else:
                self._later[key] = Timer(rest, self._after_rest, (key, query))
                self._later[key].daemon = True
                self._later[key].start()
        return None

    def _after_rest(self, key: str, query: LeaderboardQuery) -> None:
        with self._lock:
            # Closed meanwhile, it is not there any more.
            if self._later.pop(key, None) is not None and key not in self._asked:
                self._asked[key] = self._pool.submit(self._compute, query)

    def computed(self, key: str, state: str, compute: Callable[[Session], Any]) -> Computed:
        """The answer to a question as it was computed last, and anew beside the page where the
        `state` of what it rests on is another."""
        with self._lock:
            known = self._kept.get(key)
            if known is not None and known[0] == state:
                return known[1]
            running = self._open.get(key)
            if (running is None or running.done()) and len(self._open) < _WAITING:
                running = self._open[key] = self._answers.submit(self._keep, key, state, compute)
        if known is not None:
            return Computed(known[1].value, behind=True, failed=known[1].failed)
        if running is not None:
            wait([running], timeout=_PATIENCE)
        with self._lock:
            known = self._kept.get(key)
        return Computed(behind=True) if known is None else known[1]

    def _keep(self, key: str, state: str, compute: Callable[[Session], Any]) -> None:
        answer = Computed(failed="it was given up")
        try:
            with (
                # What pages show is read by a connection that cannot write.
                Database(self.source.url, read_only=True) as database,
                database.session(create=False) as session,
            ):
                Repository(session).freeze()
                answer = computed(session, compute)
        except (ArenaError, DatabaseError) as error:
            answer = Computed(failed=str(error))
        except Exception as error:
            answer = Computed(failed=_unexpected(error))
        finally:
            with self._lock:
                self.ended += 1
                self._open.pop(key, None)
                self._kept.pop(key, None)
                self._kept[key] = state, answer
                while len(self._kept) > _KEPT:
                    del self._kept[next(iter(self._kept))]

    def close(self) -> None:
        """Wait for the board that is being computed; begin no other."""
        with self._lock:
            later, self._later = self._later, {}
        for timer in later.values():
            timer.cancel()
        self._answers.shutdown(cancel_futures=True)
        self._pool.shutdown(cancel_futures=True)

    def _compute(self, query: LeaderboardQuery) -> str | None:
        began = time.monotonic()
        try:
            return self._stored(query)
        finally:
            now = time.monotonic()
            with self._lock:
                self.ended += 1
                self._rests[repr(query)] = now + _REST * (now - began)

    def _stored(self, query: LeaderboardQuery) -> str | None:
        try:
            with get_session(self.source, create=False) as session:
                answer = answered(session, query)
            if not keep(self.source, answer):
                return "the board cannot be stored: the database takes no rows"
        except (ArenaError, DatabaseError) as error:
            return str(error)
        except Exception as error:
            return _unexpected(error)
        return None


def computed(session: Session, compute: Callable[[Session], Any]) -> Computed:
    """An answer, or why there is none: what was asked cannot be answered."""
    try:
        return Computed(compute(session))
    except (ArenaError, DatabaseError) as error:
        return Computed(failed=str(error))


def _unexpected(error: Exception) -> str:
    """What a page says of a fault that nobody has foreseen: a disk that is full, or one of ours."""
    print_traceback()
    first = (str(error).splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {first}; the traceback is in the terminal of `arena view`"
