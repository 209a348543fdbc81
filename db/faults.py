"""Says in one line what is wrong with a database as a whole, and what to do about it.

Drivers speak of "disk I/O error" and "unable to open database file"; what is behind it (a full
disk, a limit of this process, a lock, a damaged file) is looked up here.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from shlex import quote

from sqlalchemy import URL

from db.backup_files import is_backup
from db.errors import Busy, Damaged, DatabaseError, Unreachable, UnwritablePath, WriteFailed
from db.urls import shown, without_secrets

# States of PostgreSQL in which the server, not the statement, is at fault, and may come back.
_GONE = ("57P", "08", "53300")
_SAFE = "what was written is safe"
_LONGEST = 500
"""Characters of an error that repeats what it could not read."""
# What waiting does not mend.
_HOPELESS = ("authentication failed", "does not exist", "no pg_hba.conf", "permission denied")


def first_line(error: BaseException) -> str:
    """The first line of what an error says, without its end where it is long; its name when it
    says nothing."""
    return (str(error).strip() or repr(error)).splitlines()[0][:_LONGEST]


def fault(url: URL, error: BaseException) -> DatabaseError | None:
    """What a driver's error means for the whole database; None when only the statement, or our
    own code, is at fault.

    Unreachable says that the server may come back; the other errors that a person must act.
    """
    if isinstance(error, sqlite3.Error):
        return _of_file(url, error)
    if url.drivername == "sqlite":
        return None
    return _of_server(url, error)


def _of_file(url: URL, error: sqlite3.Error) -> DatabaseError | None:
    reason, place = first_line(error), shown(url)
    if "not a database" in reason:
        return DatabaseError(f"{place} is not an SQLite database: give the path of another file")
    if "malformed" in reason:
        return damaged(url, reason)
    if "is full" in reason:
        return WriteFailed(
            f"the disk that holds {place} is full: free some space, then type the same command "
            f"again; {_SAFE}"
        )
    if "locked" in reason:
        return Busy(
            f"{place} is locked by another process (`lsof {place}` names it): wait for it or end "
            f"it, then type the same command again; {_SAFE}"
        )
    if "disk I/O error" in reason:
        return WriteFailed(_io_error(place, getattr(error, "sqlite_errorname", reason)))
    if "readonly" in reason and url.database and is_backup(Path(url.database)):
        return UnwritablePath(
            f"{place} is a backup, which stays as it was written: `arena db restore "
            f"{quote(url.database)} --db NEW.db` makes a database of it; give that one"
        )
    if "unable to open" in reason or "readonly" in reason:
        return UnwritablePath(
            _no_files_left(place)
            or f"{place} cannot be written ({reason}): give another path, or change the mode of "
            "the file and of its folder"
        )
    return None


def _of_server(url: URL, error: BaseException) -> DatabaseError | None:
    import psycopg

    if not isinstance(error, psycopg.Error):
        return None
    reason = without_secrets(url, first_line(error))
    place, state = shown(url), error.sqlstate or ""
    if state == "53100" or "No space left on device" in str(error):
        return WriteFailed(
            f"the disk of the database {place} is full ({reason}): free some space there, then "
            f"type the same command again; {_SAFE}"
        )
    if state in ("42501", "25006"):
        return WriteFailed(
            f"the database {place} may not be written ({reason}): give a user and a server that "
            "may write"
        )
    if "unsupported startup parameter" in reason:
        return DatabaseError(
            f"the database {place} cannot be used: {reason}; a pooler (pgbouncer) refuses what "
            "`?options=` or PGOPTIONS says: remove it there, and set it for the user instead, with "
            "ALTER ROLE"
        )
    if state == "55P03":
        return Busy(f"the database {place} is locked by others ({reason}): try again")
    if not isinstance(error, psycopg.OperationalError):
        return None
    # What the driver says of a connection that it could not open may be anything.
    if not state and (limited := _no_files_left(place)) is not None:
        return UnwritablePath(limited)
    if state.startswith(_GONE) or (not state and not any(word in reason for word in _HOPELESS)):
        return Unreachable(
            f"the database {place} cannot be reached: {reason}; start the server, or give another "
            "URL"
        )
    return None


def thrown_away(error: DatabaseError) -> DatabaseError:
    """What is said of a place where something was begun of which nothing is left."""
    return type(error)(str(error).replace(_SAFE, "nothing was left there"))


def damaged(url: URL, found: str) -> Damaged:
    """The error for a file that is not as it was written."""
    place = shown(url)
    return Damaged(
        f"{place} is damaged ({found}): use an earlier copy, or save what can be read "
        f"with `sqlite3 {place} .recover | sqlite3 saved.db`"
    )


def _io_error(place: str, name: str) -> str:
    limit = _limit("RLIMIT_FSIZE")
    if limit is not None:
        return (
            f"{place} cannot grow ({name}): this shell lets no file grow beyond {limit} bytes; "
            "raise it with `ulimit -f unlimited`, then type the same command again"
        )
    return (
        f"{place} cannot be read or written ({name}): look at its disk (`df`, `dmesg`), then type "
        f"the same command again; {_SAFE}"
    )


def _no_files_left(place: str) -> str | None:
    try:
        os.close(os.open(Path(__file__), os.O_RDONLY))
    except OSError as error:
        return (
            f"{place} cannot be opened ({error.strerror}): this shell lets a process open "
            f"{_limit('RLIMIT_NOFILE') or 'too few'} files; raise it with `ulimit -n 4096`, or "
            "play fewer games at once"
        )
    return None


def _limit(name: str) -> int | None:
    # Windows has no such limits.
    try:
        import resource
    except ImportError:
        return None
    soft, _ = resource.getrlimit(getattr(resource, name))
    return None if soft == resource.RLIM_INFINITY else int(soft)
