"""Who holds a lease, and whether it is dead: a lock's file dies with the process that made it."""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fasteners  # type: ignore[import-untyped]

_LOCK = re.compile(r"arena-lease-[0-9a-f]{32}\.lock")


def new_lock() -> Path:
    """Where a new holder's lock is made: nothing is there yet."""
    return Path(tempfile.gettempdir()) / f"arena-lease-{uuid.uuid4().hex}.lock"


def described(path: Path, file: int | None = None) -> str:
    """Who holds the lease, for the process that finds it; in a database that is a file, also its
    number in the file system, by which a copy is told."""
    told = {
        "host": socket.gethostname(),
        "machine": _machine(),
        "pid": os.getpid(),
        "lock": str(path),
    }
    return json.dumps(told if file is None else {**told, "file": file})


def read_holder(holder: str) -> dict[str, Any]:
    """What the holder of a lease says of itself: host, machine, pid, lock, file; empty for what it
    cannot have written."""
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
def death(holder: str) -> Iterator[bool]:
    """Whether the holder's lock is open, so that it is dead for certain: while this lasts, nobody
    else can find the same.

    A file that is gone says nothing, and neither does a lock of this very process, which would
    lose it by opening the file again.
    """
    told = read_holder(holder)
    if told.get("machine") != _machine():
        yield False
        return
    with _opened(holder) as lock:
        yield lock is not None


def forget(holder: str | None) -> None:
    """Remove the lock's file of a holder that was taken over. Until then it shows that it is dead;
    one that is only frozen removes its own."""
    if holder is not None:
        with _opened(holder) as lock:
            if lock is not None:
                Path(os.fsdecode(lock.path)).unlink(missing_ok=True)


@contextmanager
def _opened(holder: str) -> Iterator[fasteners.InterProcessLock | None]:
    """The lock of a holder on this host, held here while this lasts; None where it cannot be."""
    told = read_holder(holder)
    path = Path(str(told.get("lock") or ""))
    # The row is data: only a file that such a row can have named is ever opened or removed.
    named = path.parent == Path(tempfile.gettempdir()) and _LOCK.fullmatch(path.name)
    here = told.get("host") == socket.gethostname() and told.get("pid") != os.getpid()
    if not (here and named and path.is_file()):
        yield None
        return
    lock = fasteners.InterProcessLock(path)
    try:
        free = lock.acquire(blocking=False)
    except OSError:
        free = False
    try:
        yield lock if free else None
    finally:
        if free:
            lock.release()
        elif lock.lockfile is not None:
            lock.lockfile.close()
