"""What the parts of the repository share: adding a row, switching one, hashing what makes one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from db.errors import DatabaseError
from db.models.columns import storable_json

Row = TypeVar("Row", bound=SQLModel)


def canonical(value: Any) -> str:
    """JSON that is the same for equal values."""
    return json.dumps(storable_json(value), sort_keys=True, separators=(",", ":"), default=str)


def hashed(*parts: Any) -> str:
    """Sixteen hexadecimal digits that name the parts."""
    return hashlib.blake2b(canonical(list(parts)).encode(), digest_size=8).hexdigest()


def plain(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options as they are stored; None is none."""
    return {} if options is None else dict(options)


def added(session: Session, row: Row, what: str) -> Row:
    """The row, with its key.

    Raises DatabaseError when there is one like it already; the transaction is then rolled back.
    """
    try:
        session.add(row)
        session.flush()
    except IntegrityError as error:
        session.rollback()
        reason = str(error.orig).strip().splitlines()[0]
        raise DatabaseError(f"{what} cannot be added: {reason}") from error
    return row


def switched(session: Session, kind: type[Row], row_id: int, active: bool) -> Row | None:
    """The row with its `active` set; None when there is no such row."""
    row = session.get(kind, row_id)
    if row is not None:
        setattr(row, "active", active)  # noqa: B010
        session.add(row)
        session.flush()
    return row
