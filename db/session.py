"""Sessions and the tables they need: what most callers open a database with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlmodel import Session

from db.database import Database, Source, opened
from db.engine import get_engine
from db.schema import check_schema, drop_schema, upgrade


@contextmanager
def get_session(db_path: Source = None, *, create: bool = True) -> Iterator[Session]:
    """A session that commits when the block ends and rolls back when it raises.

    A database that holds nothing yet gets its tables, or, with `create=False`, raises
    MissingDatabase. Raises SchemaTooOld or SchemaTooNew for another release's tables. Objects
    stay readable after the block, except for payloads that were not read in it.
    """
    with opened(db_path) as database, database.session(create=create) as session:
        yield session


def get_db_session(db_path: Source = None, *, create: bool = True) -> Session:
    """A session for the caller to commit, and to close in a `finally`. Raises what `get_session`
    raises."""
    if isinstance(db_path, Database):
        db_path.check(create=create)
        return Session(db_path.engine, expire_on_commit=False)
    engine = get_engine(db_path, pooled=False)
    check_schema(engine, create=create)
    return Session(engine, expire_on_commit=False)


def init_db(db_path: Source = None, drop_all: bool = False) -> None:
    """Make the tables, or bring them up to date; with `drop_all`, drop everything first.

    Raises SchemaTooNew for the tables of a later release.
    """
    with opened(db_path) as database:
        if drop_all:
            drop_schema(database.engine)
        upgrade(database.engine)
