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
from db.looking import keeps_log, look
from db.urls import shown

_HEADER = 32  # bytes of a log


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
    file (`-shm`) beside a log. Where there is one, a log of an earlier moment is told, unless
    somebody has the file open: then the log is its own. Of an earlier log the file must have grown
    since to be told.
    """
    if log_of(url) is None:
        return
    path = Path(str(url.database))
    state = look(path, pages=not Path(f"{path}-shm").exists())
    if state == "earlier":
        raise Damaged(_apart(url, "is of an earlier moment than the file, or of another one"))
    if state == "unsound" and (told := other_log(url)) is not None:
        raise told


def other_log(url: URL) -> Damaged | None:
    """What to say of a file that is damaged as it is opened, if it is sound without its log; None
    where the log is not at fault."""
    if log_of(url) is None:
        return None
    if _is_sound_alone(url):
        return Damaged(_apart(url, "belongs to another file, or to another moment of this one"))
    return None


def _is_sound_alone(url: URL) -> bool:
    with suppress(sqlite3.Error), closing(sqlite3.connect(_alone(url), uri=True)) as connection:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    return False


def _alone(url: URL) -> str:
    """The file as it is without its log; to read it changes nothing."""
    return f"{Path(str(url.database)).absolute().as_uri()}?mode=ro&immutable=1"


def missing_log(url: URL) -> str | None:
    """A sentence about a file that was copied while a run wrote to it, or after one was killed, and
    beside which there is no log; None where nothing says so.

    The lease of that run is held by a process that had opened another file. Opens the file in a way
    that changes nothing. A copy that was made while nobody held a lease cannot be told."""
    path = Path(str(url.database))
    if url.drivername != "sqlite" or log_of(url) is not None or not path.is_file():
        return None
    if Path(f"{path}-shm").exists():
        # Somebody has it open, perhaps this process.
        return None
    with suppress(OSError, sqlite3.Error), closing(sqlite3.connect(_alone(url), uri=True)) as found:
        held = found.execute("SELECT holder FROM leases WHERE holder NOT NULL").fetchall()
        files = {read_holder(str(holder)).get("file") for (holder,) in held} - {None}
        if files and path.stat().st_ino not in files and keeps_log(path):
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
