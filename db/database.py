"""A database opened once: one engine, the tables checked once, and all that is asked of it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from sqlalchemy import URL, Engine
from sqlmodel import Session

from db import leases
from db.engine import (
    LONGEST_PAUSE,
    PATIENCE,
    check_integrity,
    check_place,
    get_engine,
    place_of,
    said_plainly,
    waiting_at_most,
)
from db.errors import Unreachable
from db.leases import TOURNAMENT, Lease, Leased
from db.schema import check_schema
from db.urls import resolve_url, shown
from db.write_ahead import refuse_other_log

if TYPE_CHECKING:
    from db.fold import Fold
    from db.recorder import Recorder

T = TypeVar("T")


class Database:
    """A database by its URL or path; None is `ARENA_DATABASE_URL`, then `sqlite:///arena.db`.

    Making one connects to nothing: the first use does. Threads may share it; a process that was
    forked from this one opens connections of its own. Leaving its block closes the connections;
    using it again opens new ones. One that is `read_only` refuses every statement that would write.
    Raises UnknownURL for a database that is neither SQLite nor PostgreSQL.
    """

    def __init__(self, url: str | Path | URL | None = None, *, read_only: bool = False) -> None:
        self.url = resolve_url(url)
        self._read_only = read_only
        self._begin()

    def __repr__(self) -> str:
        return f"Database({shown(self.url)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._checked: tuple[int, int] | None = None
        self._intact = False

    @property
    def engine(self) -> Engine:
        """The engine of all sessions, made at the first use. It checks no tables (`check` does).

        Raises UnwritablePath, Damaged for a file beside which another's log lies, or DatabaseError
        for a missing driver.
        """
        self._after_a_fork()
        with self._lock:
            if self._engine is None:
                refuse_other_log(self.url)
                self._engine = get_engine(self.url, read_only=self._read_only)
            return self._engine

    def close(self) -> None:
        """Close the connections that no session holds; the others close with their sessions."""
        self._after_a_fork()
        with self._lock:
            engine, self._engine, self._checked = self._engine, None, None
        if engine is not None:
            engine.pool.dispose()

    def check(self, *, create: bool = True, integrity: bool = False) -> None:
        """Raises SchemaTooOld or SchemaTooNew unless the tables are of this release. Asked of the
        database once; afterwards, at the price of one look at the file, FileGone is raised when the
        file is gone or is another one.

        An empty database gets its tables, or, with `create=False`, raises MissingDatabase. With
        `integrity` every page of a file is read, once; raises Damaged.
        """
        self._after_a_fork()
        if self._checked is None or (integrity and not self._intact):
            with self._lock:
                if integrity and not self._intact:
                    check_integrity(self.url)
                    self._intact = True
                if self._checked is None:
                    check_schema(self.engine, create=create)
                    self._checked = place_of(self.url)
        # The pool keeps it open, so that its number is not given to another.
        check_place(self.url, self._checked)

    @contextmanager
    def session(self, *, create: bool = True) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises.

        Raises what `check` raises. Objects stay readable after the block, except for payloads that
        were not read in it.
        """
        self.check(create=create)
        with self.unchecked_session() as session:
            yield session

    @contextmanager
    def brief_session(self, patience: float) -> Iterator[Session]:
        """A session for a short transaction beside others that write: it waits for each of them for
        at most `patience` seconds, and then raises Busy. Nothing is made."""
        with self.session(create=False) as session, waiting_at_most(session, patience):
            yield session

    @contextmanager
    def unchecked_session(self) -> Iterator[Session]:
        """The same on tables of any release: for what changes the tables."""
        engine = self.engine
        try:
            with said_plainly(self.url), Session(engine, expire_on_commit=False) as session:
                try:
                    yield session
                    session.commit()
                except BaseException:
                    session.rollback()
                    raise
        finally:
            if engine is not self._engine:
                # Closed meanwhile: nobody else would close what the session gave back.
                engine.pool.dispose()

    def reconnecting(
        self,
        work: Callable[[Session], T],
        *,
        patience: float = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> T:
        """What `work` makes of a session of its own, which is committed; again from the start when
        the server goes away, for at most `patience` seconds.

        Whether a lost commit happened is not known: `work` must be able to run twice. Raises what
        `session` raises for `create=False`, Unreachable when patience ends.
        """
        deadline = clock() + patience
        pause = 0.05
        while True:
            try:
                with self.session(create=False) as session:
                    return work(session)
            except Unreachable:
                if clock() >= deadline:
                    raise
            sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    def recorder(
        self, fold: Fold | None = None, *, lease: Lease | None = None, delegates: bool = False
    ) -> Recorder:
        """The durable append path (`db.recorder`), to be entered in a running event loop."""
        from db.recorder import Recorder

        return Recorder(self.url, fold, lease=lease, delegates=delegates)

    def lease(
        self,
        key: int,
        leased: Leased = TOURNAMENT,
        *,
        ttl: float = leases.TTL,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> Lease:
        """The right to run a tournament, or what else is `leased`, to be released
        (`db.leases.acquire`)."""
        file = place_of(self.url)[1] if self.url.drivername == "sqlite" else None
        lease = leases.acquire(
            self.reconnecting, leased, key, ttl=ttl, sleep=sleep, clock=clock, file=file
        )
        if file is not None:
            # A copy of the file alone says then that somebody was writing.
            with self.unchecked_session() as session:
                session.connection().exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        return lease

    def _after_a_fork(self) -> None:
        if self._pid != os.getpid():
            # Neither used nor closed: closing would end what the parent process is doing.
            self._inherited = self._engine
            self._begin()


Source = str | Path | URL | Database | None
"""A database's URL, the path of an SQLite file, an open database, or None for the default."""


@contextmanager
def opened(source: Source) -> Iterator[Database]:
    """An open database itself, which stays open; else the one at the source, closed afterwards."""
    if isinstance(source, Database):
        yield source
        return
    with Database(source) as database:
        yield database
