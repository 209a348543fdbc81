"""Lets one process at a time run a tournament or some branches; no clock is trusted to say which.

The row of a lease has a `fence`, one more at every takeover, and a `beat`, one more
at every commit of its holder (`db.recorder`). Whoever wants the lease watches the beat on a
monotonic clock of its own: a beat that stands still is a dead holder's, and is taken over by
comparing and swapping. A holder that was only frozen finds another fence when it wakes up, and
nothing of what it wants to write is written. On one machine a lock that dies with its process
says at once that the holder is dead.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeVar

import fasteners  # type: ignore[import-untyped]
from sqlalchemy import URL, Connection, TextClause, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from db.delegates import Delegation, end_all
from db.engine import FROZEN_AFTER_S, PATIENCE
from db.errors import DatabaseError, LeaseHeld
from db.holders import death, described, forget, new_lock, read_holder

T = TypeVar("T")

# How often an idle holder says that it lives, and how long a silent one is believed to, in seconds.
HEARTBEAT = 2.0
TTL = 10.0
_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Leased:
    """What is leased: the `table` whose rows are leases, by `key`; `said` names one in messages. A
    row of `first` is made where there is none."""

    table: str
    key: str
    said: str
    first: bool

    def sql(self, statement: str) -> TextClause:
        """A statement on its table."""
        return text(statement.format(table=self.table, key=self.key))


TOURNAMENT = Leased("leases", "tournament_id", "tournament {}", first=True)
BRANCHES = Leased("branch_runs", "id", "run {} of branches", first=False)

_READ = "SELECT holder, fence, beat FROM {table} WHERE {key} = :key"
_FIRST = (
    "INSERT INTO {table} ({key}, holder, fence, beat) VALUES (:key, :holder, 1, 0) "
    "ON CONFLICT ({key}) DO NOTHING"
)
_TAKE = (
    "UPDATE {table} SET holder = :holder, fence = fence + 1, beat = beat + 1, lost = NULL "
    "WHERE {key} = :key AND fence = :fence AND beat = :beat"
)
_HOLDERS = "SELECT {key}, holder FROM {table} WHERE holder IS NOT NULL ORDER BY {key}"
_END = (
    "UPDATE {table} SET holder = NULL, fence = fence + 1, beat = beat + 1 "
    "WHERE {key} = :key AND holder = :holder"
)
_RELEASE_ALL = (
    "UPDATE {table} SET holder = NULL, fence = fence + 1, beat = beat + 1 WHERE holder IS NOT NULL"
)
_RELEASE = "UPDATE {table} SET holder = NULL, beat = beat + 1 WHERE {key} = :key AND fence = :fence"


class Reconnecting(Protocol):
    """Runs work in a session of its own, again when the server went away
    (`db.database.Database.reconnecting`)."""

    def __call__(self, work: Callable[[Session], T], *, patience: float = PATIENCE) -> T: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write the games of what is `leased`, by its `key`, until another process takes
    it over; a block that it opens releases it."""

    leased: Leased
    key: int
    fence: int
    lock: fasteners.InterProcessLock = field(repr=False, compare=False)
    reconnecting: Reconnecting = field(repr=False, compare=False)

    def release(self) -> None:
        """Let it go, unless somebody else has taken it over already. A database that
        cannot be reached is let be: the next process finds the lock open, and takes over."""

        def let_go(session: Session) -> None:
            session.connection().execute(
                self.leased.sql(_RELEASE), {"key": self.key, "fence": self.fence}
            )

        path = Path(os.fsdecode(self.lock.path))
        try:
            with suppress(DatabaseError):
                self.reconnecting(let_go, patience=0.0)
                path.unlink(missing_ok=True)
        finally:
            if self.lock.acquired:
                self.lock.release()

    @property
    def beat(self) -> str:
        """What says that the holder lives, for a driver: of `key` and `fence`; it changes no row
        when another process has taken over."""
        return str(
            self.leased.sql("UPDATE {table} SET beat = beat + 1 WHERE {key} = ? AND fence = ?")
        )

    @property
    def said(self) -> str:
        """What is leased, for messages."""
        return self.leased.said.format(self.key)

    def delegated(self, url: URL) -> Delegation:
        """What other processes need to write for its holder into the database of this URL."""
        leased = self.leased
        shown = url.render_as_string(hide_password=False)
        return Delegation(shown, leased.table, leased.key, self.key, self.fence, self.said)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


# A holder that is frozen in mid-transaction keeps its row locked. Where it is in the middle of a
# pipeline, the server does not call that idle, and no timeout of its own would end it.
_END_FROZEN = (
    "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a "
    "JOIN pg_locks l ON l.pid = a.pid AND l.relation = '{table}'::regclass "
    "WHERE l.mode = 'RowExclusiveLock' AND a.pid <> pg_backend_pid() AND a.usename = current_user "
    "AND a.datname = current_database() "
    "AND a.xact_start < clock_timestamp() - make_interval(secs => :seconds)"
)


class _Row(NamedTuple):
    holder: str | None
    fence: int
    beat: int


def acquire(
    reconnecting: Reconnecting,
    leased: Leased,
    key: int,
    *,
    ttl: float = TTL,
    frozen_after: float = FROZEN_AFTER_S,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    file: int | None = None,
) -> Lease:
    """The lease of a tournament or of a run of branches, at once when it is free or its holder on
    this machine is dead; otherwise its holder is watched for up to `ttl` seconds. A transaction of
    a holder that is taken over is ended by the server if it is older than `frozen_after` seconds.
    The row says which `file` of the system (its inode) the holder has opened. Blocks: call it off
    the event loop.

    Raises LeaseHeld when the holder lives, DatabaseError when there is nothing of this key.
    """
    path = new_lock()
    lock = fasteners.InterProcessLock(path)
    lock.acquire()
    row = _Held(reconnecting, leased, key, described(path, file))
    before: str | None = None
    try:
        while True:
            seen = row.ensured()
            if seen.holder == row.ours:
                if before is not None:
                    row.end_delegates()
                forget(before)
                return Lease(leased, key, seen.fence, lock, reconnecting)
            if seen.holder is None:
                row.take(seen, frozen_after)
                continue
            with death(seen.holder) as dead:
                if dead or row.still(seen, ttl, sleep, clock):
                    before = seen.holder
                    row.take(seen, frozen_after)
    except BaseException:
        lock.release()
        path.unlink(missing_ok=True)
        raise


def end_dead(
    reconnecting: Reconnecting,
    *,
    ttl: float = TTL,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Take over every lease whose holder is dead, and let it go: if it was only frozen, nothing of
    what it wants to write is written. Raises LeaseHeld when a holder lives."""

    for leased, key, _ in reconnecting(lambda session: _holders(session.connection())):
        acquire(reconnecting, leased, key, ttl=ttl, sleep=sleep, clock=clock).release()


def end_if_dead(connection: Connection, leased: Leased, key: int, holder: str) -> bool:
    """Whether the holder of a lease is known to be dead, and its lease is let go for it with the
    transaction."""
    with death(holder) as dead:
        values = {"key": key, "holder": holder}
        ended = dead and bool(connection.execute(leased.sql(_END), values).rowcount)
    if ended:
        forget(holder)
    return ended


def release_all(connection: Connection) -> None:
    """Let every lease go in a copy of a database: its holders write in the original alone."""
    found = inspect(connection)
    for leased in (TOURNAMENT, BRANCHES):
        if found.has_table(leased.table):
            connection.execute(leased.sql(_RELEASE_ALL))


def refuse_held(connection: Connection) -> None:
    """Raises LeaseHeld unless every holder is known to be dead, and lets nobody take a lease until
    the transaction ends: for a process that changes the tables."""
    for leased, key, holder in _holders(connection):
        with death(holder) as dead:
            if not dead:
                raise _held(leased, key, holder)


def _holders(connection: Connection) -> list[tuple[Leased, int, str]]:
    # The tables may be of any release.
    found = inspect(connection)
    holders = []
    for leased in (TOURNAMENT, BRANCHES):
        if not found.has_table(leased.table):
            continue
        if connection.dialect.name == "postgresql":
            connection.execute(leased.sql("LOCK TABLE {table} IN SHARE MODE"))
        rows = connection.execute(leased.sql(_HOLDERS))
        holders += [(leased, int(key), str(holder)) for key, holder in rows]
    return holders


@dataclass(frozen=True, slots=True)
class _Held:
    """The row of a lease that this process wants."""

    reconnecting: Reconnecting
    leased: Leased
    key: int
    ours: str

    def ensured(self) -> _Row:
        """The row, which is ours when there was none."""

        def read(session: Session) -> _Row:
            values = {"key": self.key, "holder": self.ours}
            connection = session.connection()
            found = connection.execute(self.leased.sql(_READ), values).first()
            if found is None:
                said = self.leased.said.format(self.key)
                if not self.leased.first:
                    raise DatabaseError(f"there is no {said}")
                try:
                    connection.execute(self.leased.sql(_FIRST), values)
                except IntegrityError as error:
                    raise DatabaseError(f"there is no {said} to run") from error
                found = connection.execute(self.leased.sql(_READ), values).one()
            return _Row(*found)

        return self.reconnecting(read)

    def read(self) -> _Row:
        def read(session: Session) -> _Row:
            found = session.connection().execute(self.leased.sql(_READ), {"key": self.key})
            return _Row(*found.one())

        return self.reconnecting(read)

    def take(self, seen: _Row, frozen_after: float) -> None:
        """Take it, if it is as it was seen. The row says whether it was taken: the answer may be
        lost, or another process faster."""

        def take(session: Session) -> None:
            connection = session.connection()
            if connection.dialect.name == "postgresql":
                connection.execute(self.leased.sql(_END_FROZEN), {"seconds": frozen_after})
            values = {"key": self.key, "holder": self.ours, "fence": seen.fence, "beat": seen.beat}
            connection.execute(self.leased.sql(_TAKE), values)

        self.reconnecting(take)

    def end_delegates(self) -> None:
        """End what other processes still write for the last holder. The fence keeps the rest out:
        it has to be there before."""
        self.reconnecting(
            lambda session: end_all(session.connection(), self.leased.table, self.key)
        )

    def still(
        self,
        seen: _Row,
        ttl: float,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> bool:
        """Whether the row stands still for `ttl` seconds; False when the holder let go meanwhile.

        Raises LeaseHeld when it moves.
        """
        deadline = clock() + ttl
        looks = 0
        # Both are asked: the clock of a machine that was stopped may jump.
        while looks < _LOOKS or clock() < deadline:
            sleep(ttl / _LOOKS)
            looks += 1
            now = self.read()
            if now.holder is None:
                return False
            if now != seen:
                raise _held(self.leased, self.key, now.holder)
        return True


def _held(leased: Leased, key: int, holder: str) -> LeaseHeld:
    told = read_holder(holder)
    return LeaseHeld(
        f"{leased.said.format(key)} is run by another process (pid {told.get('pid')} on "
        f"{told.get('host')}): let it finish, or end it there (`kill -INT {told.get('pid')}`), "
        "then type the same command again"
    )
