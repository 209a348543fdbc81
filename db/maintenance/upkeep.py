"""Gives unused room back, counts anew what the planner of queries goes by, makes indexes again."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, text

from db.database import Database
from db.engine import said_plainly
from db.errors import DatabaseError, LeaseHeld, WriteFailed
from db.live import branches_run_now, run_now
from db.maintenance.sizes import size_of_database
from db.models.columns import Table
from db.urls import shown

UpkeepWork = Literal["vacuum", "analyze", "reindex"]
_ON_SERVER = {
    "vacuum": "VACUUM (FULL, ANALYZE) {}",
    "analyze": "ANALYZE {}",
    "reindex": "REINDEX TABLE {}",
}
_SLACK = 1.05


@dataclass(frozen=True, slots=True)
class Upkept:
    """What was done: the bytes of the database before and after, those freed, and the seconds that
    it took."""

    work: UpkeepWork
    before: int
    after: int
    freed: int
    seconds: float


def keep_up(database: Database, work: UpkeepWork) -> Upkept:
    """Do it to all tables. Nothing that is on record changes.

    Raises LeaseHeld while a tournament or branches are run (a server may be analysed all the same),
    WriteFailed where a disk has too little room for the copy that a vacuum makes, and DatabaseError
    for a user of a server who does not own the tables.
    """
    began = time.monotonic()
    sqlite = database.url.drivername == "sqlite"
    with database.session(create=False) as session:
        played = bool(run_now(session) or branches_run_now(session))
        if played and (sqlite or work != "analyze"):
            raise LeaseHeld(
                f"somebody plays in {shown(database.url)}, and {work} keeps everybody out of it: "
                "stop the run, or wait for its end, and type the same again"
            )
        if not sqlite:
            _check_owner(session.connection())
    before = size_of_database(database)
    if sqlite and work == "vacuum":
        _check_room(database, before)
    with _alone(database) as connection:
        if sqlite:
            connection.exec_driver_sql(work.upper())
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            for table in Table.metadata.sorted_tables:
                connection.exec_driver_sql(_ON_SERVER[work].format(table.name))
    after = size_of_database(database)
    return Upkept(work, before, after, max(0, before - after), time.monotonic() - began)


def _check_room(database: Database, size: int) -> None:
    """A vacuum writes a copy where temporary files are, and then all of it beside the file."""
    needed = int(size * _SLACK)
    path = Path(str(database.url.database)).absolute()
    for folder in (path.parent, Path(tempfile.gettempdir())):
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise WriteFailed(
                f"a vacuum of {path} needs {needed:,} bytes in {folder}, and {free:,} are free: "
                "make room, and type the same again; nothing was changed"
            )


def _check_owner(connection: Connection) -> None:
    query = text(
        "SELECT c.relname, pg_get_userbyid(c.relowner), current_user FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() "
        "WHERE c.relkind = 'r' AND c.relname = ANY(:names) "
        "AND NOT pg_has_role(current_user, c.relowner, 'USAGE') ORDER BY 1 LIMIT 1"
    )
    names = [table.name for table in Table.metadata.sorted_tables]
    found = connection.execute(query, {"names": names}).first()
    if found is not None:
        name, owner, user = found
        raise DatabaseError(f"only {owner}, who owns the table {name}, may do this: found {user}")


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A connection outside of transactions."""
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with said_plainly(database.url), engine.connect() as connection:
        yield connection
