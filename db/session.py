"""Sessions and the tables they need: what most callers open a database with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import Session

from db.engine import get_engine, said_plainly
from db.schema import check_schema, drop_schema, upgrade


@contextmanager
def get_session(db_path: str | Path | None = None, *, create: bool = True) -> Iterator[Session]:
    """A session that commits when the block ends and rolls back when it raises.

    A database that holds nothing yet gets its tables, or, with `create=False`, raises
    MissingDatabase. Raises SchemaTooOld or SchemaTooNew for another release's tables. Objects
    stay readable after the block, except for payloads that were not read in it.
    """
    engine = get_engine(db_path)
    try:
        check_schema(engine, create=create)
        with said_plainly(engine.url), Session(engine, expire_on_commit=False) as session:
            try:
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise
    finally:
        engine.dispose()


def init_db(db_path: str | Path | None = None, drop_all: bool = False) -> None:
    """Make the tables, or bring them up to date; with `drop_all`, drop everything first.

    Raises SchemaTooNew for the tables of a later release.
    """
    engine = get_engine(db_path)
    try:
        if drop_all:
            drop_schema(engine)
        upgrade(engine)
    finally:
        engine.dispose()
