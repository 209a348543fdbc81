"""A database is opened once: one engine, one look at its tables, whatever is asked of it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, text
from sqlmodel import Session

import db
from db import (
    Database,
    DatabaseError,
    Kind,
    Repository,
    get_db_session,
    get_session,
    init_db,
    schema,
)
from db.database import opened
from db.errors import Damaged, FileGone, MissingDatabase, SchemaTooOld
from db.maintenance.backup import back_up
from db.writer.games import GameStarted
from tests.db.tournaments import NOON, tournament


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as database:
        yield database


def kinds(database: Database) -> list[str]:
    with database.session(create=False) as session:
        return [kind.name for kind in Repository(session).get_kinds()]


def test_it_connects_and_looks_at_the_tables_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    connections: list[object] = []
    check = schema.current
    monkeypatch.setattr(schema, "current", lambda engine: looks.append("") or check(engine))
    event.listen(database.engine, "connect", lambda *connection: connections.append(connection))

    for _ in range(5):
        assert kinds(database) == []
    assert database.reconnecting(lambda session: Repository(session).get_models()) == []

    assert (len(looks), len(connections)) == (1, 1)


def test_making_one_touches_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "none.db")

    with (
        pytest.raises(MissingDatabase, match="there is no database at"),
        database.session(create=False),
    ):
        pass
    database.close()

    assert list(tmp_path.iterdir()) == []
    assert repr(Database("postgresql://me:secret@far/arena")).count("secret") == 0


def test_a_database_that_holds_nothing_gets_its_tables_when_asked(empty_database_url: str) -> None:
    with Database(empty_database_url) as database:
        with pytest.raises(MissingDatabase), database.session(create=False):
            pass
        with database.session() as session:
            Repository(session).create_kind("thinking")
        assert kinds(database) == ["thinking"]


def test_what_a_block_raises_undoes_it(database: Database) -> None:
    def twice(session: Session) -> None:
        for _ in range(2):
            Repository(session).create_kind("thinking")

    with pytest.raises(DatabaseError, match="cannot be added"), database.session() as session:
        twice(session)

    assert kinds(database) == []


def test_threads_share_it(database: Database) -> None:
    """More at once than a pool keeps: none waits for another, and each is checked in time."""
    together = threading.Barrier(24)

    def look(number: int) -> int:
        with database.session(create=False) as session:
            found = len(Repository(session).get_kinds())
            together.wait(timeout=60)
            return found

    with ThreadPoolExecutor(24) as threads:
        assert list(threads.map(look, range(24))) == [0] * 24


def test_a_session_that_outlives_its_database_closes_its_connection(database: Database) -> None:
    """As a thread's does whose caller was cancelled."""
    with database.session() as session:
        connection = session.connection().connection.driver_connection
        assert connection is not None
        database.close()
        assert session.execute(text("SELECT 1")).scalar() == 1

    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError), match="closed"):
        connection.cursor().execute("SELECT 1")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(database: Database) -> None:
    def driver(session: Session) -> object:
        return session.connection().connection.driver_connection

    with database.session() as session:
        Repository(session).create_kind("parent's")
        parents = driver(session)

    def child() -> None:
        with database.session() as session:
            Repository(session).create_kind("child's")
            own = driver(session)
        database.close()
        os._exit(0 if own is not parents else 1)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()

    assert process.exitcode == 0
    with database.session() as session:
        assert driver(session) is parents, "the child closed only what it had opened"
    assert kinds(database) == ["child's", "parent's"]


def test_a_file_that_is_gone_is_not_made_again(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with Database(path) as database:
        assert kinds(database) == []
        for side in ("", "-wal", "-shm"):
            Path(f"{path}{side}").unlink(missing_ok=True)

        for create in (False, True):
            with (
                pytest.raises(FileGone, match="now gone or another one"),
                database.session(create=create),
            ):
                pass
        assert not path.exists()


def test_a_file_that_was_replaced_is_noticed(sqlite_url: str, tmp_path: Path) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    other = tmp_path / "other.db"
    init_db(other)
    with Database(path) as database:
        assert kinds(database) == []
        shutil.move(other, path)

        with pytest.raises(FileGone), database.session():
            pass
        database.close()
        # Opened again, it is the one that is there now.
        assert kinds(database) == []


def test_the_file_is_read_whole_once_when_asked(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    damaged = path.with_name("damaged.db")
    damaged.write_bytes(path.read_bytes()[:-4096])
    with Database(damaged) as database, pytest.raises(Damaged):
        database.check(integrity=True)

    with Database(path) as database:
        database.check(integrity=True)
        monkeypatch.setattr("db.database.check_integrity", lambda url: pytest.fail("read again"))
        database.check(integrity=True)


def test_another_release_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "HEAD", "9999")

    with pytest.raises(SchemaTooOld, match="arena db upgrade"), database.session():
        pass


def test_it_gives_a_recorder_and_a_lease(database: Database) -> None:
    first, *_ = tournament(database.url.render_as_string(hide_password=False))

    async def main() -> None:
        with database.lease(1) as lease:
            async with database.recorder(lease=lease) as recorder:
                await recorder.append(GameStarted(first, NOON))

    asyncio.run(main())
    with database.session() as session:
        game = Repository(session).get_game_by_id(first)
        assert game is not None
        assert game.status == "running"


def test_an_open_database_stays_open_and_another_is_closed(database: Database) -> None:
    with opened(database) as same:
        assert same is database
    with opened(database.url) as other:
        assert kinds(other) == []
        pool = other.engine.pool
    assert kinds(database) == []
    assert pool is not other.engine.pool, "its pool was given up"
    other.close()


def test_every_function_takes_a_url_a_path_or_an_open_database(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with Database(path) as database:
        for source in (sqlite_url, path, str(path), database.url, database):
            init_db(source)
            with get_session(source) as session:
                Repository(session).get_or_create_kind("thinking")
            session = get_db_session(source)
            session.close()
        assert kinds(database) == ["thinking"]


# SQLModel would rather see `exec`.
@pytest.mark.filterwarnings(r"ignore:[\s\S]*You probably want:DeprecationWarning")
def test_a_session_by_hand_is_committed_and_closed_by_hand(database_url: str) -> None:
    """As people were shown it: try, query, add, commit, finally close."""
    session = get_db_session(database_url)
    try:
        assert session.query(Kind).all() == []
        session.add(Kind(name="thinking"))
        session.commit()
        session.add(Kind(name="forgotten"))
    finally:
        session.close()

    with get_db_session(database_url, create=False) as again:
        assert [kind.name for kind in again.query(Kind).all()] == ["thinking"]
        engine = again.get_bind()
    assert engine.pool.status() == "NullPool", "what is closed keeps no connection"


COUNTING = """
import asyncio, sys
import db.engine
made = []
create = db.engine.create
db.engine.create = lambda *given, **how: made.append(1) or create(*given, **how)
from arena.config import load
from arena.orchestrator import run
for config in sys.argv[2:]:
    summary = asyncio.run(run(load(config), url=f"{sys.argv[1]}/{len(made)}.db"))
    print(summary.games_completed, len(made))
"""


@pytest.mark.slow
@pytest.mark.sweep
def test_a_run_opens_its_database_once_and_its_recorder_once_more(tmp_path: Path) -> None:
    """However many calls ask the cache, and however many games have settled before a pairing."""
    recorded = Path(db.__file__).parent.parent / "tests" / "recorded"
    cached, follows_results = recorded / "village.yaml", recorded / "noughts.yaml"
    command = [sys.executable, "-c", COUNTING, str(tmp_path), str(cached), str(follows_results)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.stdout == "7 2\n9 4\n", done.stderr


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    (tmp_path / "touched.db").touch(0o644)
    before = os.umask(0)
    try:
        for name in ("new.db", "touched.db"):
            with Database(tmp_path / name) as database:
                init_db(database)
                with database.session() as session:
                    Repository(session).create_prompt(name="p", content="x")
                    session.flush()
                    files = [*tmp_path.glob(f"{name}*")]
                    assert len(files) > 1
                    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
                copy = back_up(database).file
                assert copy.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
