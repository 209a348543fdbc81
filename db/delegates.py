"""Lets other processes write for the holder of a lease, on a server: each through a session of its
own, whose name says for whom it writes.

Such a process asks in every transaction whether the lease is still that of its run, and whether it
is taken for dead itself; it locks no row for it, so that it holds up neither its run nor the
others. What was under way when a lease changed hands, or when the process was taken for dead, ends
with its session, which is waited for. One that was only frozen finds its name among the lost.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace

from sqlalchemy import URL, Connection, make_url, text
from sqlmodel import Session

from db.engine import PATIENCE
from db.errors import DatabaseError

# A server tells of the sessions of all its databases, and the leases of another have the same keys.
_END = text(
    "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE starts_with(application_name, :name) AND usename = current_user "
    "AND datname = current_database()"
)
_LOST = (
    "UPDATE {table} SET lost = COALESCE(lost, ' ') || :name || ' ' WHERE {key} = :key "
    "AND fence = :fence AND STRPOS(COALESCE(lost, ''), ' ' || :name || ' ') = 0"
)
_WORKER = re.compile(r"[0-9A-Za-z-]{1,32}")
# A transaction is told the same again and again otherwise.
_LOOK_AGAIN = text("SELECT pg_stat_clear_snapshot()")
_PAUSE = 0.01


@dataclass(frozen=True, slots=True)
class Delegation:
    """What another process needs to write for the holder of a lease: plain data. `url` is that of
    the database; the lease is of a `table`, by its `key` and `fence`, and `said` in messages.
    `worker` is the name of the process, another one for each that there is under this fence."""

    url: str = field(repr=False)
    table: str
    key_column: str
    key: int
    fence: int
    said: str
    worker: str = ""

    def of(self, worker: str) -> Delegation:
        """That of the worker of this name: letters, digits and hyphens. Raises ValueError for
        another."""
        if not _WORKER.fullmatch(worker):
            raise ValueError(f"no name of a worker: {worker!r}")
        return replace(self, worker=worker)

    @property
    def beat(self) -> str:
        """What says whether the worker may write, for a driver: of `key` and `fence`; of no row
        when another process has taken over, or when it is taken for dead."""
        return (
            f"SELECT 1 FROM {self.table} WHERE {self.key_column} = ? AND fence = ? "  # noqa: S608
            f"AND STRPOS(COALESCE(lost, ''), ' {self.worker} ') = 0"
        )

    @property
    def session_url(self) -> URL:
        """The database's, for the session of the worker."""
        name = _name(self.table, self.key, self.fence, self.worker)
        return make_url(self.url).update_query_dict({"application_name": name})

    def end(self, session: Session, worker: str) -> None:
        """Let nothing more be written by a worker that is taken for dead. Blocks until that is
        certain. Raises DatabaseError where it cannot be told."""
        lost = text(_LOST.format(table=self.table, key=self.key_column))
        session.connection().execute(lost, {"name": worker, "key": self.key, "fence": self.fence})
        # What it begins from here on is refused: it has to be there before the rest is ended.
        session.commit()
        _end(session.connection(), _name(self.table, self.key, self.fence, worker))


def end_all(connection: Connection, table: str, key: int) -> None:
    """Let nothing more be written for those who had a lease before. Blocks, as `Delegation.end`."""
    if connection.dialect.name == "postgresql":
        _end(connection, f"arena {table} {key} ")


def _name(table: str, key: int, fence: int, worker: str) -> str:
    return f"arena {table} {key} {fence} {worker}."


def _end(connection: Connection, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while connection.execute(_END, {"name": name}).first() is not None:
        if time.monotonic() > deadline:
            raise DatabaseError("a session of a process that has ended does not end on the server")
        time.sleep(_PAUSE)
        connection.execute(_LOOK_AGAIN)
