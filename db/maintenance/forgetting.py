"""Removes old entries of the trail, which says so: the one way in which an entry can go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text
from sqlmodel import Session

from db.engine import begin_writing
from db.errors import DatabaseError
from db.models import AuditEntry
from db.repository.audit import record_change
from db.triggers import APPEND_ONLY

_LOG = AuditEntry.metadata.tables["audit_log"]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many entries from before a time were removed."""

    before: datetime
    entries: int


def old_entries(session: Session, before: datetime) -> int:
    """How many entries there are from before a time."""
    query = select(func.count()).select_from(_LOG).where(_LOG.c.at < before)
    return int(session.execute(query).scalar_one())


def forget(session: Session, before: datetime) -> Forgotten:
    """Remove the entries from before a time, and append that it was done, in the session's
    transaction: the trigger that refuses it is put aside until then.

    Raises DatabaseError for a user of a server who does not own the table."""
    connection = session.connection()
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        begin_writing(connection)
    kept = _put_aside(connection) if sqlite else None
    if not sqlite:
        _check_owner(connection)
        connection.execute(text(f"ALTER TABLE audit_log DISABLE TRIGGER {APPEND_ONLY}"))
    gone = connection.execute(delete(_LOG).where(_LOG.c.at < before)).rowcount
    if kept is not None:
        connection.exec_driver_sql(kept)
    else:
        connection.execute(text(f"ALTER TABLE audit_log ENABLE TRIGGER {APPEND_ONLY}"))
    after = {"before": before, "entries": gone}
    record_change(session, "audit_log", 0, "the trail", "forget", after=after)
    return Forgotten(before, gone)


def _put_aside(connection: Connection) -> str:
    """Drop the trigger of a file: the statement that makes it again."""
    said = text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = :name")
    found = connection.execute(said, {"name": APPEND_ONLY}).scalar()
    if found is None:
        raise DatabaseError(
            f"the trigger {APPEND_ONLY} is missing, which keeps the trail: `arena db check` says "
            "what else is, and nothing is removed"
        )
    connection.execute(text(f"DROP TRIGGER {APPEND_ONLY}"))
    return str(found)


def _check_owner(connection: Connection) -> None:
    query = text(
        "SELECT pg_has_role(current_user, relowner, 'USAGE'), current_user, "
        "pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'audit_log'::regclass"
    )
    owns, user, owner = connection.execute(query).one()
    if not owns:
        raise DatabaseError(
            f"only {owner}, who owns the table, removes entries of the trail: found {user}"
        )
