"""Sessions and the tables they need: what most callers open a database with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlmodel import Session

from db.engine import get_engine, said_plainly
from db.errors import Unreachable
from db.schema import check_schema, drop_schema, upgrade

Result = TypeVar("Result")

# How long a server that went away is waited for: a restart takes up to half a minute.
PATIENCE = 90.0
LONGEST_PAUSE = 2.0


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


def reconnecting(
    db_path: str | Path | None,
    work: Callable[[Session], Result],
    *,
    patience: float = PATIENCE,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """What `work` makes of a session of its own, which is committed; again from the start when
    the server goes away, for at most `patience` seconds.

    Whether a lost commit happened is not known: `work` must be able to run twice. Raises what
    `get_session` raises, Unreachable when patience ends.
    """
    deadline = clock() + patience
    pause = 0.05
    while True:
        try:
            with get_session(db_path, create=False) as session:
                return work(session)
        except Unreachable:
            if clock() >= deadline:
                raise
        sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


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
