"""What the parts of the repository share: adding a row, changing, switching and deleting one, each
on the trail (`db.repository.audit`), and hashing what makes one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import func, or_, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import InstrumentedAttribute
from sqlmodel import Session, SQLModel, select

from db.engine import begin_writing
from db.errors import DatabaseError
from db.faults import first_line
from db.models.columns import storable_json
from db.repository.audit import record_row, recorded
from db.versions import VersionedName, versioned

Row = TypeVar("Row", bound=SQLModel)

# What rows are refused with: the last two by SQLite's driver, which gives them no name of its own.
_REFUSED = (IntegrityError, DataError, OverflowError, UnicodeEncodeError)


def canonical(value: Any) -> str:
    """JSON that is the same for equal values."""
    return json.dumps(storable_json(value), sort_keys=True, separators=(",", ":"), default=str)


def hashed(*parts: Any) -> str:
    """Sixteen hexadecimal digits that name the parts."""
    return hashlib.blake2b(canonical(list(parts)).encode(), digest_size=8).hexdigest()


def plain(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options as they are stored; None is none."""
    return {} if options is None else dict(options)


@contextmanager
def apart(session: Session, what: str) -> Iterator[None]:
    """What the block writes, as one: when the database refuses it, it alone is undone, and the
    caller's transaction stays as it was.

    Raises DatabaseError, which begins with `what`.
    """
    session.flush()
    try:
        with session.begin_nested():
            yield
    except _REFUSED as error:
        reason = first_line(getattr(error, "orig", None) or error)
        raise DatabaseError(f"{what}: {reason}") from error


def added(session: Session, row: Row, what: str) -> Row:
    """The row, with its key. Raises DatabaseError when there is one like it already."""
    with apart(session, f"{what} cannot be added"):
        session.add(row)
        session.flush()
        record_row(session, row, "add")
    return row


def found_or_made(find: Callable[[], Row | None], make: Callable[[], Row]) -> Row:
    """The row that is there, else a new one; when another process was faster, that one's.

    Raises DatabaseError when it cannot be made and is not there.
    """
    found = find()
    if found is not None:
        return found
    try:
        return make()
    except DatabaseError:
        found = find()
        if found is None:
            raise
        return found


def locked(session: Session, lock: int) -> None:
    """Wait until no other transaction holds this lock, and hold it until the session commits; on
    SQLite every lock is the one lock of the file. Call it first: what was read before may be old.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        begin_writing(connection)
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


def version_rows(
    session: Session, table: type[Row], label: InstrumentedAttribute[Any], name: str
) -> list[Row]:
    """The rows that bear this name as versions of it, the first version first."""
    # Patterns have a longest length, names have none.
    begins = func.substr(label, 1, len(name) + 1) == f"{name}@"
    query = select(table).where(or_(label == name, begins))
    found = {versioned(getattr(row, label.key)): row for row in session.exec(query)}
    return [found[known] for known in sorted(found) if known.name == name]


def next_version(session: Session, table: type[Row], label: Any, name: str) -> str:
    """The label of the version after the last one of a name; of a new name itself."""
    last = version_rows(session, table, label, name)
    if not last:
        return name
    return VersionedName(name, versioned(getattr(last[-1], label.key)).version + 1).label


def edited(session: Session, row: Row, what: str, **values: Any) -> Row:
    """The row with some of its columns set. Raises DatabaseError where the database refuses it."""
    with apart(session, f"{what} cannot be changed"), recorded(session, row):
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
    return row


def removed(session: Session, row: SQLModel, what: str) -> None:
    """Delete a row. Raises DatabaseError where another row needs it."""
    with apart(session, f"{what} cannot be deleted"):
        record_row(session, row, "delete")
        session.delete(row)
        session.flush()


def switched(session: Session, kind: type[Row], row_id: int, active: bool) -> Row | None:
    """The row with its `active` set; None when there is no such row."""
    row = session.get(kind, row_id)
    if row is not None:
        what = f"{kind.__name__.lower()} {row_id} cannot be switched"
        with apart(session, what), recorded(session, row):
            setattr(row, "active", active)  # noqa: B010
    return row
