"""What the log beside an SQLite file (`-wal`) tells of the two: whether they belong together, and
whether one is missing.

What was committed last is in the log alone until SQLite moves it into the file. A file that is
copied without it is of an earlier moment; a log beside another file would put pages of that other
moment into it. SQLite itself notices neither.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy import URL

from db.errors import Damaged
from db.holders import read_holder
from db.urls import shown

_HEADER = 32  # bytes of a log, and
_FRAME = 24  # of each of its frames, before a page
_READ = 100  # bytes of the header of a file
_IN_LOG = b"\x02\x02"  # how a file says that its changes go into a log
# Others may write meanwhile: what is found is looked at again.
_LOOKS = 3


def log_of(url: URL) -> Path | None:
    """The log beside a file, if something is in it."""
    if url.drivername != "sqlite":
        return None
    log = Path(f"{url.database}-wal")
    with suppress(OSError):
        if log.stat().st_size > _HEADER:
            return log
    return None


def refuse_other_log(url: URL) -> None:
    """Raises Damaged for a file beside which lies a log that is not its own: of an earlier moment,
    which would take back what was written since, or of another file. Nothing is changed by looking;
    whoever may write would move the log into the file.

    Every page is read where the two were put together by somebody: SQLite itself leaves a third
    file (`-shm`) beside a log. Of an earlier log it must have grown since to be told.
    """
    shared = Path(f"{url.database}-shm")
    # Somebody has it open, perhaps this process: to close a file that SQLite has open here too
    # would let go of the locks that SQLite holds on it.
    if log_of(url) is None or shared.exists():
        return
    if all(_is_older(url) for _ in range(_LOOKS)):
        raise Damaged(_apart(url, "is of an earlier moment than the file, or of another one"))
    try:
        sound = _is_sound(url, "mode=ro")
    finally:
        # It is made by looking.
        shared.unlink(missing_ok=True)
    if not sound and (told := other_log(url)) is not None:
        raise told


def _is_sound(url: URL, how: str) -> bool:
    reads = f"{Path(str(url.database)).absolute().as_uri()}?{how}"
    with suppress(sqlite3.Error), closing(sqlite3.connect(reads, uri=True)) as connection:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    return False


def other_log(url: URL) -> Damaged | None:
    """What to say of a file that is damaged as it is opened, if it is sound without its log; None
    where the log is not at fault."""
    if log_of(url) is None:
        return None
    if _is_sound(url, "mode=ro&immutable=1"):
        return Damaged(_apart(url, "belongs to another file, or to another moment of this one"))
    return None


def missing_log(url: URL) -> str | None:
    """A sentence about a file that was copied while a run wrote to it, or after one was killed, and
    beside which there is no log; None where nothing says so.

    The lease of that run is held by a process that had opened another file. Opens the file in a way
    that changes nothing. A copy that was made while nobody held a lease cannot be told."""
    path = Path(str(url.database))
    if url.drivername != "sqlite" or log_of(url) is not None or not path.is_file():
        return None
    if Path(f"{path}-shm").exists():
        # Open somewhere, perhaps here: see `refuse_other_log`.
        return None
    with suppress(OSError, sqlite3.Error), path.open("rb") as opened:
        if opened.read(_READ)[18:20] != _IN_LOG:
            return None
        inode = path.stat().st_ino
        alone = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(alone, uri=True)) as connection:
            held = connection.execute("SELECT holder FROM leases WHERE holder NOT NULL").fetchall()
        files = {read_holder(str(holder)).get("file") for (holder,) in held} - {None}
        if files and inode not in files:
            return (
                f"{path} is a copy of a file that a run was writing to, without the log "
                f"({path.name}-wal) that lay beside it: what was committed last may be missing "
                "here. Copy both while nobody writes, or use `arena db backup`; a run that goes on "
                "here plays again what is missing, and pays for it again"
            )
    return None


def _apart(url: URL, why: str) -> str:
    place = shown(url)
    return (
        f"{place}-wal {why}: neither was changed; move it away (`mv {place}-wal elsewhere`), and "
        f"{place} is as it was without it; or put back the file that it belongs to"
    )


# How often a file was changed, its tables were, and how many pages it has: none goes back while
# those before it stay.
_Age = tuple[int, int, int]


def _age(header: bytes) -> _Age:
    changes, pages, tables = header[24:28], header[28:32], header[40:44]
    return int.from_bytes(changes), int.from_bytes(tables), int.from_bytes(pages)


def _is_older(url: URL) -> bool:
    """Whether the newest first page in a log is older than that of the file."""
    path = Path(str(url.database))
    try:
        with path.open("rb") as opened:
            there = opened.read(_READ)
        newest = _newest(Path(f"{path}-wal"))
    except OSError:
        return False
    whole = len(there) == _READ and there[18:20] == _IN_LOG
    return whole and newest is not None and newest < _age(there)


def _newest(log: Path) -> _Age | None:
    """The age of the newest first page that was committed to a log."""
    found: _Age | None = None
    with log.open("rb") as opened:
        header = opened.read(_HEADER)
        size, salt = int.from_bytes(header[8:12]), header[16:24]
        if not 512 <= size <= 65536:
            return None
        seen: _Age | None = None
        while len(frame := opened.read(_FRAME)) == _FRAME and frame[8:16] == salt:
            if int.from_bytes(frame[:4]) == 1:
                seen = _age(opened.read(_READ))
                opened.seek(size - _READ, 1)
            else:
                opened.seek(size, 1)
            # What comes after the last commit was never committed.
            if int.from_bytes(frame[4:8]):
                found = seen
    return found
