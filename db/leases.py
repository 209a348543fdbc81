"""Lets one process at a time run a tournament, and no clock be trusted in saying which.

The row of a tournament's lease has a `fence`, one more at every takeover, and a `beat`, one more
at every commit of its holder (`db.recorder`). Whoever wants the lease watches the beat on a
monotonic clock of its own: a beat that stands still is a dead holder's, and is taken over by
comparing and swapping. A holder that was only frozen finds another fence when it wakes up, and
nothing of what it wants to write is written. On one machine a lock that dies with its process
says at once that the holder is dead.
"""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import fasteners  # type: ignore[import-untyped]
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from db.engine import FROZEN_AFTER_S, PATIENCE
from db.errors import DatabaseError, LeaseHeld

T = TypeVar("T")

# How often an idle holder says that it lives, and how long a silent one is believed to, in seconds.
HEARTBEAT = 2.0
TTL = 10.0
_LOOKS = 20

_READ = text("SELECT holder, fence, beat FROM leases WHERE tournament_id = :tournament")
_FIRST = text(
    "INSERT INTO leases (tournament_id, holder, fence, beat) VALUES (:tournament, :holder, 1, 0) "
    "ON CONFLICT (tournament_id) DO NOTHING"
)
_TAKE = text(
    "UPDATE leases SET holder = :holder, fence = fence + 1, beat = beat + 1 "
    "WHERE tournament_id = :tournament AND fence = :fence AND beat = :beat"
)
_HOLDERS = text(
    "SELECT tournament_id, holder FROM leases WHERE holder IS NOT NULL ORDER BY tournament_id"
)
_RELEASE = text(
    "UPDATE leases SET holder = NULL, beat = beat + 1 "
    "WHERE tournament_id = :tournament AND fence = :fence"
)


class Reconnecting(Protocol):
    """Runs work in a session of its own, again when the server went away
    (`db.database.Database.reconnecting`)."""

    def __call__(self, work: Callable[[Session], T], *, patience: float = PATIENCE) -> T: ...


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a tournament's games, until another process takes it over; a block that
    it opens releases it."""

    tournament_id: int
    fence: int
    lock: fasteners.InterProcessLock = field(repr=False, compare=False)
    reconnecting: Reconnecting = field(repr=False, compare=False)

    def release(self) -> None:
        """Let the tournament go, unless somebody else has taken it over already. A database that
        cannot be reached is let be: the next process finds the lock open, and takes over."""

        def let_go(session: Session) -> None:
            session.connection().execute(
                _RELEASE, {"tournament": self.tournament_id, "fence": self.fence}
            )

        path = Path(os.fsdecode(self.lock.path))
        try:
            with suppress(DatabaseError):
                self.reconnecting(let_go, patience=0.0)
                path.unlink(missing_ok=True)
        finally:
            if self.lock.acquired:
                self.lock.release()

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
_END_FROZEN = text(
    "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a "
    "JOIN pg_locks l ON l.pid = a.pid AND l.relation = 'leases'::regclass "
    "WHERE l.mode = 'RowExclusiveLock' AND a.pid <> pg_backend_pid() AND a.usename = current_user "
    "AND a.xact_start < clock_timestamp() - make_interval(secs => :seconds)"
)

_LOCK = re.compile(r"arena-lease-[0-9a-f]{32}\.lock")


class _Row(NamedTuple):
    holder: str | None
    fence: int
    beat: int


def acquire(
    reconnecting: Reconnecting,
    tournament_id: int,
    *,
    ttl: float = TTL,
    frozen_after: float = FROZEN_AFTER_S,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Lease:
    """The lease of a tournament, at once when it is free or its holder on this machine is dead;
    otherwise its holder is watched for up to `ttl` seconds. A transaction of a holder that is taken
    over is ended by the server if it is older than `frozen_after` seconds. Blocks: call it off the
    event loop.

    Raises LeaseHeld when the holder lives, DatabaseError when there is no such tournament.
    """
    path = Path(tempfile.gettempdir()) / f"arena-lease-{uuid.uuid4().hex}.lock"
    lock = fasteners.InterProcessLock(path)
    lock.acquire()
    ours = _described(path)
    try:
        while True:
            seen = _ensured(reconnecting, tournament_id, ours)
            if seen.holder == ours:
                return Lease(tournament_id, seen.fence, lock, reconnecting)
            if seen.holder is None:
                _take(reconnecting, tournament_id, ours, seen, frozen_after)
                continue
            with _death(seen.holder) as dead:
                if dead or _still(reconnecting, tournament_id, seen, ttl, sleep, clock):
                    _take(reconnecting, tournament_id, ours, seen, frozen_after)
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

    def held(session: Session) -> list[int]:
        return [tournament for tournament, _ in _holders(session.connection())]

    for tournament_id in reconnecting(held):
        acquire(reconnecting, tournament_id, ttl=ttl, sleep=sleep, clock=clock).release()


def refuse_held(connection: Connection) -> None:
    """Raises LeaseHeld unless every holder is known to be dead, and lets nobody take a lease until
    the transaction ends: for a process that changes the tables."""
    for tournament_id, holder in _holders(connection):
        with _death(holder, forget=False) as dead:
            if not dead:
                raise _held(tournament_id, holder)


def _holders(connection: Connection) -> list[tuple[int, str]]:
    # The tables may be of any release.
    if not inspect(connection).has_table("leases"):
        return []
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE leases IN SHARE MODE"))
    return [(int(tournament), str(holder)) for tournament, holder in connection.execute(_HOLDERS)]


def _ensured(reconnecting: Reconnecting, tournament_id: int, ours: str) -> _Row:
    # The row of the lease, which is ours when there was none.
    def read(session: Session) -> _Row:
        values = {"tournament": tournament_id, "holder": ours}
        connection = session.connection()
        found = connection.execute(_READ, values).first()
        if found is None:
            try:
                connection.execute(_FIRST, values)
            except IntegrityError as error:
                raise DatabaseError(f"there is no tournament {tournament_id} to run") from error
            found = connection.execute(_READ, values).one()
        return _Row(*found)

    return reconnecting(read)


def _read(reconnecting: Reconnecting, tournament_id: int) -> _Row:
    def read(session: Session) -> _Row:
        return _Row(*session.connection().execute(_READ, {"tournament": tournament_id}).one())

    return reconnecting(read)


def _take(
    reconnecting: Reconnecting, tournament_id: int, ours: str, seen: _Row, frozen_after: float
) -> None:
    # The row says whether it was taken: the answer may be lost, or another process faster.
    def take(session: Session) -> None:
        if session.connection().dialect.name == "postgresql":
            session.connection().execute(_END_FROZEN, {"seconds": frozen_after})
        values = {
            "tournament": tournament_id,
            "holder": ours,
            "fence": seen.fence,
            "beat": seen.beat,
        }
        session.connection().execute(_TAKE, values)

    reconnecting(take)


def _still(
    reconnecting: Reconnecting,
    tournament_id: int,
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
        now = _read(reconnecting, tournament_id)
        if now.holder is None:
            return False
        if now != seen:
            raise _held(tournament_id, now.holder)
    return True


def _held(tournament_id: int, holder: str) -> LeaseHeld:
    told = read_holder(holder)
    return LeaseHeld(
        f"tournament {tournament_id} is run by another process (pid {told.get('pid')} on "
        f"{told.get('host')}): let it finish, or end it there (`kill -INT {told.get('pid')}`), "
        "then type the same command again"
    )


def _described(path: Path) -> str:
    """Who holds the lease, for the process that finds it."""
    return json.dumps(
        {
            "host": socket.gethostname(),
            "machine": _machine(),
            "pid": os.getpid(),
            "lock": str(path),
        }
    )


def read_holder(holder: str) -> dict[str, Any]:
    """What the holder of a lease says of itself: host, machine, pid, lock; empty for what it cannot
    have written."""
    try:
        told = json.loads(holder)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _machine() -> str:
    """What names this machine since it was last started: a lock does not outlive that."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return f"{uuid.getnode():012x}"


@contextmanager
def _death(holder: str, *, forget: bool = True) -> Iterator[bool]:
    """Whether the holder's lock is open, so that it is dead for certain: while this lasts, nobody
    else can find the same. Its file goes with it, if it is to `forget`.

    A file that is gone says nothing, and neither does a lock of this very process, which would
    lose it by opening the file again.
    """
    told = read_holder(holder)
    path = Path(str(told.get("lock") or ""))
    here = told.get("machine") == _machine() and told.get("host") == socket.gethostname()
    # The row is data: only a file that such a row can have named is ever opened or removed.
    named = path.parent == Path(tempfile.gettempdir()) and _LOCK.fullmatch(path.name)
    if not here or not named or told.get("pid") == os.getpid() or not path.is_file():
        yield False
        return
    lock = fasteners.InterProcessLock(path)
    try:
        dead = lock.acquire(blocking=False)
    except OSError:
        dead = False
    try:
        yield dead
        # Only when the lease is taken over: until then it shows that its holder is dead.
        if dead and forget:
            path.unlink(missing_ok=True)
    finally:
        if dead:
            lock.release()
        elif lock.lockfile is not None:
            lock.lockfile.close()
