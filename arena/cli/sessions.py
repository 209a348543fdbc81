"""Opens the database of a command: to read what is there, or to add to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db import Database, Session


@contextmanager
def reading(db: str | Database | None) -> Iterator[Session]:
    """A session on a database that is there already; nothing is made."""
    from db import get_session

    with get_session(db or None, create=False) as session:
        yield session


@contextmanager
def writing(db: str | None) -> Iterator[Session]:
    """A session on a database that is made when it is not there."""
    from db import get_session

    with get_session(db or None) as session:
        yield session


@contextmanager
def existing(db: str | None) -> Iterator[Database]:
    """A database that is there, with the tables of this release: opened once for a command."""
    from db import Database

    with Database(db or None) as database:
        database.check(create=False)
        yield database
