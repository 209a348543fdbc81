"""Opens a database by path or URL, with the settings that its promises rest on."""

from __future__ import annotations

import importlib.util
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy import create_engine as create
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from db.errors import DatabaseError, UnknownURL, UnwritablePath

DEFAULT_URL = "sqlite:///arena.db"
URL_VARIABLE = "ARENA_DATABASE_URL"
BUSY_TIMEOUT_MS = 30_000


def resolve_url(db_path: str | Path | None = None) -> URL:
    """The URL of a path, of a URL, or of None: `ARENA_DATABASE_URL`, then `sqlite:///arena.db`.

    Raises UnknownURL for a database that is neither SQLite nor PostgreSQL.
    """
    given = db_path if db_path is not None else os.environ.get(URL_VARIABLE) or DEFAULT_URL
    if isinstance(given, Path) or "://" not in given:
        if str(given) in ("", ":memory:"):
            raise UnknownURL(
                f"{str(given)!r} is no file: expected a path, because a database in memory is "
                "gone when its session ends"
            )
        return URL.create("sqlite", database=str(given))
    try:
        url = make_url(given)
    except ArgumentError as error:
        raise UnknownURL(
            f"{given!r} is no database URL: expected a path, sqlite:///FILE or "
            "postgresql://USER@HOST/NAME"
        ) from error
    backend = url.drivername.partition("+")[0]
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise UnknownURL(
                f"{given!r} names no file: expected sqlite:///FILE, because a database in "
                "memory is gone when its session ends"
            )
        return url.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        if importlib.util.find_spec("psycopg") is None:
            raise DatabaseError(
                "PostgreSQL needs the package psycopg: pip install 'llm-arena[postgres]'"
            )
        return url.set(drivername="postgresql+psycopg")
    raise UnknownURL(
        f"{backend!r} is not a database of ours: expected a path, sqlite:///FILE or "
        "postgresql://USER@HOST/NAME"
    )


def shown(url: URL) -> str:
    """A URL as people may see it: without its password, a file as its path."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def check_path(url: URL) -> None:
    """Raises UnwritablePath for a file that cannot be opened or made."""
    if url.drivername != "sqlite":
        return
    path = Path(str(url.database))
    if path.is_dir():
        raise UnwritablePath(f"{path} is a folder: expected the path of a database file")
    if not path.parent.is_dir():
        raise UnwritablePath(
            f"{path} cannot be made: there is no folder {path.parent}; make it, or give "
            "another path"
        )
    if path.exists():
        if not os.access(path, os.R_OK):
            raise UnwritablePath(f"{path} cannot be read: give another path, or change its mode")
    elif not os.access(path.parent, os.W_OK):
        raise UnwritablePath(
            f"{path} cannot be made: the folder {path.parent} is not writable; give another path"
        )


def set_pragmas(connection: sqlite3.Connection) -> None:
    """What every connection to SQLite is told: rows are on disk when a commit returns."""
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        # Reading from a file that may not be written is allowed.
        if "readonly" not in str(error):
            raise
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def get_engine(db_path: str | Path | None = None) -> Engine:
    """An engine for a path or URL; whoever asked for it disposes of it.

    Raises UnknownURL, UnwritablePath, or DatabaseError for a missing driver. Connects to nothing
    and checks no schema (`db.schema.check_schema` does).
    """
    url = resolve_url(db_path)
    check_path(url)
    engine = create(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _on_connect(connection: Any, _record: Any) -> None:
            set_pragmas(connection)

    return engine


@contextmanager
def said_plainly(url: URL) -> Iterator[None]:
    """Turns what a driver says about reaching or writing a database into a DatabaseError."""
    try:
        yield
    except DBAPIError as error:
        reason = (str(error.orig).strip() or repr(error.orig)).splitlines()[0]
        if "not a database" in reason:
            raise DatabaseError(
                f"{shown(url)} is not an SQLite database: give the path of another file"
            ) from error
        if not isinstance(error, OperationalError):
            raise
        if "unable to open" in reason or "readonly" in reason:
            raise UnwritablePath(
                f"{shown(url)} cannot be written ({reason}): give another path, or change its mode"
            ) from error
        raise DatabaseError(f"the database {shown(url)} cannot be used: {reason}") from error
