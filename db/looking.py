"""Looks at an SQLite file and at the log beside it (`-wal`), in a process of its own: who closes a
file that SQLite has open in the same process lets go of SQLite's locks on it.

Run as a program it needs the standard library alone. It makes no file, removes none, and writes to
none: it keeps all others out while it looks, with SQLite's index of the log in its own memory, and
ends without letting SQLite move the log into the file.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn, get_args

LogState = Literal["own", "held", "earlier", "unsound"]
"""What a log is: the file's own, as far as can be known; one that somebody has open, with the file;
of an earlier moment than the file, or of another one; one with which the file is not sound."""

_HEADER = 32  # bytes of a log, and
_FRAME = 24  # of each of its frames, before a page
_READ = 100  # bytes of the header of a file
_IN_LOG = b"\x02\x02"  # how a file says that its changes go into a log
_PATIENCE = 30.0  # seconds for others that look, or that are just opening the file
_PAUSE = 0.02


def look(path: Path, *, pages: bool) -> LogState:
    """What the log of a file is; with `pages`, after every page of the two was read. "own" where
    no process can be started."""
    said = _asked("pages" if pages else "ages", path)
    return next((state for state in get_args(LogState) if state == said), "own")


def keeps_log(path: Path) -> bool:
    """Whether the changes of a file go into a log beside it, as its header says."""
    return _asked("header", path) == "log"


def _asked(what: str, path: Path) -> str:
    program = [sys.executable, "-I", "-S", __file__, what, str(path.absolute())]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(  # noqa: S603
            program, capture_output=True, text=True, check=False
        ).stdout
    return ""


# How often a file was changed, its tables were, and how many pages it has: none goes back while
# those before it stay.
_Age = tuple[int, int, int]


def _age(header: bytes) -> _Age:
    changes, pages, tables = header[24:28], header[28:32], header[40:44]
    return int.from_bytes(changes), int.from_bytes(tables), int.from_bytes(pages)


def _is_earlier(file: BinaryIO, log: BinaryIO) -> bool:
    """Whether the newest first page in a log is older than that of the file."""
    there, newest = file.read(_READ), _newest(log)
    return _in_log(there) and newest is not None and newest < _age(there)


def _in_log(header: bytes) -> bool:
    return len(header) == _READ and header[18:20] == _IN_LOG


def _newest(log: BinaryIO) -> _Age | None:
    """The age of the newest first page that was committed to a log."""
    header = log.read(_HEADER)
    size, salt = int.from_bytes(header[8:12]), header[16:24]
    if not 512 <= size <= 65536:
        return None
    found: _Age | None = None
    seen: _Age | None = None
    while len(frame := log.read(_FRAME)) == _FRAME and frame[8:16] == salt:
        if int.from_bytes(frame[:4]) == 1:
            seen = _age(log.read(_READ))
            log.seek(size - _READ, 1)
        else:
            log.seek(size, 1)
        # What comes after the last commit was never committed.
        if int.from_bytes(frame[4:8]):
            found = seen
    return found


def _state(path: Path, connection: sqlite3.Connection, *, pages: bool) -> LogState:
    """Locks the file for this connection, unless somebody else has it open."""
    until = time.monotonic() + _PATIENCE
    try:
        # Said before the log is read: no third file is made, and nobody else is let in.
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        while not _locked(connection):
            # Whoever has it open to play has a third file; a process that looks has none.
            if Path(f"{path}-shm").exists() or time.monotonic() > until:
                return "held"
            time.sleep(_PAUSE)
        if pages and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            return "unsound"
    except sqlite3.DatabaseError as error:
        if _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return "unsound"
        # Who may not write it can keep nobody out, and moves no log into it.
    return "own"


def _locked(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if _code(error) == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _end(said: str) -> NoReturn:
    """Print it, and end at once: a connection that is closed moves the log into the file."""
    sys.stdout.write(said)
    sys.stdout.flush()
    os._exit(0)


def main(what: str, name: str) -> None:
    """Print what was asked of a file, and end."""
    path = Path(name)
    # Both are open for as long as the lock is needed.
    with suppress(OSError, sqlite3.Error), path.open("rb") as file:
        if what == "header":
            _end("log" if _in_log(file.read(_READ)) else "")
        with Path(f"{path}-wal").open("rb") as log:
            connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=0)
            state = _state(path, connection, pages=what == "pages")
            _end("earlier" if state != "held" and _is_earlier(file, log) else state)
    _end("")


if __name__ == "__main__":
    main(*sys.argv[1:])
