"""The database of a command: whether it can be reached and written, its tables, its clock, its
connection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from arena.doctor.diagnosis import Diagnosis, DiagnosisState
from db import Database
from db.errors import DatabaseError
from db.maintenance.condition import Condition, Connected, condition
from db.schema import HEAD
from db.urls import shown

_DISK_LOW, _DISK_OUT = 2 * 10**9, 2 * 10**8  # bytes
_CLOCK_OFF, _CLOCK_WRONG = timedelta(seconds=2), timedelta(minutes=1)
_VERIFIED = ("verify-ca", "verify-full")
_VERIFY = "add ?sslmode=verify-full&sslrootcert=system to the URL, or your own authority's file"


def of_database(url: str | None) -> Iterator[Diagnosis]:
    """Where it is and how; one finding alone where it cannot be reached."""
    try:
        with Database(url) as database:
            place, found = shown(database.url), condition(database)
    except DatabaseError as error:
        yield Diagnosis("database", "wrong", str(error))
        return
    if found.read_only is not None:
        yield Diagnosis(
            "database", "wrong", f"{place}: {found.read_only}", "runs need one that may be written"
        )
    elif found.new:
        yield Diagnosis("database", "ok", f"there is none yet at {place}, where it can be made")
    else:
        server = f" on PostgreSQL {found.server.version}" if found.server else ""
        yield Diagnosis("database", "ok", f"{place} can be read and written{server}")
    yield _tables(found)
    yield from _disk(found)
    yield from _clock(found)
    if found.server is not None:
        yield _connection(found.server)


def _tables(found: Condition) -> Diagnosis:
    if found.revision is None:
        return Diagnosis("tables", "ok", "none yet: the first run makes them")
    if found.revision == HEAD:
        return Diagnosis("tables", "ok", f"revision {HEAD}, that of this release")
    said = f"revision {found.revision}, and this release needs {HEAD}"
    older = found.revision.isdigit() and int(found.revision) < int(HEAD)
    return Diagnosis(
        "tables", "wrong", said, "arena db upgrade" if older else "upgrade the arena's package"
    )


def _disk(found: Condition) -> Iterator[Diagnosis]:
    if found.free is None:
        return
    said = f"{found.free / 1e9:,.1f} GB free beside the database"
    if found.free < _DISK_LOW:
        state: DiagnosisState = "wrong" if found.free < _DISK_OUT else "warning"
        yield Diagnosis(
            "disk", state, said, "free some space: a game of 30 turns takes about 0.2 MB"
        )
    else:
        yield Diagnosis("disk", "ok", said)


def _clock(found: Condition) -> Iterator[Diagnosis]:
    now = datetime.now(UTC)
    if found.newest is not None and found.newest > now + _CLOCK_OFF:
        yield Diagnosis(
            "clock",
            "wrong",
            f"the newest tournament is of {found.newest:%Y-%m-%d %H:%M:%S} UTC, and it is "
            f"{now:%Y-%m-%d %H:%M:%S} here",
            "set this machine's clock (timedatectl set-ntp true)",
        )
    elif found.server is not None:
        off = abs(found.server.ahead)
        way = "behind" if found.server.ahead > timedelta() else "ahead of"
        if off < _CLOCK_OFF:
            yield Diagnosis("clock", "ok", "that of the database's server")
        else:
            yield Diagnosis(
                "clock",
                "wrong" if off >= _CLOCK_WRONG else "warning",
                f"{off.total_seconds():,.0f} s {way} that of the database's server",
                "set both clocks (timedatectl set-ntp true)",
            )
    else:
        yield Diagnosis("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, after everything on record")


def _connection(server: Connected) -> Diagnosis:
    said = f"as {server.user}, {'encrypted' if server.encrypted else 'not encrypted'}"
    said += f" (sslmode={server.sslmode})"
    if not server.remote:
        return Diagnosis("connection", "ok", f"{said}, on this machine")
    if not server.encrypted:
        return Diagnosis("connection", "wrong", f"{said}: passwords can be read", _VERIFY)
    if server.sslmode not in _VERIFIED:
        return Diagnosis(
            "connection", "warning", f"{said}: another server could pose as it", _VERIFY
        )
    return Diagnosis("connection", "ok", said)
