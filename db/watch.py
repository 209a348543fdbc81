"""Notices that others have committed, at next to no cost."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from db.database import Database
from db.engine import said_plainly


class CommitWatch:
    """Whether anything was committed since the last look; for one thread at a time.

    SQLite is asked for its data version on one connection that stays open, which takes some
    microseconds; it knows nothing of what this very connection did. A server has no such number:
    there every look may have missed something, and is said to be a change.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._version: int | None = None

    def changed(self) -> bool:
        """Whether something may have been committed since this was asked last: True the first time
        and after every failure. Raises what `Database.check` raises."""
        try:
            self._database.check(create=False)
            if self._database.url.drivername != "sqlite":
                return True
            version = self._read()
        except BaseException:
            self.close()
            raise
        before, self._version = self._version, version
        return version != before

    def _read(self) -> int:
        with said_plainly(self._database.url):
            if self._connection is None:
                self._connection = self._database.engine.connect()
            found = self._connection.exec_driver_sql("PRAGMA data_version").scalar_one()
            # Nothing is held open from look to look.
            self._connection.rollback()
        return int(found)

    def close(self) -> None:
        """Let the connection go; the next look opens another."""
        connection, self._connection, self._version = self._connection, None, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
