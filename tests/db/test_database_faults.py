"""What is wrong with a disk, a file, a server or a limit is said in one line, and nothing that
was acknowledged is lost or half written."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import Session

import db
from db import Database, DatabaseError, Game, Recorder, Repository, get_engine, get_session
from db.engine import check_integrity
from db.errors import Damaged, Unreachable, WriteFailed
from db.faults import fault
from db.urls import resolve_url
from tests.db.test_recorder import hang_up, opened, read, scalar
from tests.db.tournaments import tournament

pytestmark = pytest.mark.slow

ROOT = Path(db.__file__).parent.parent
NOISE = "".join(chr(0x4E00 + (index * index) % 9973) for index in range(4000))

# Writes turns until it is refused: prints how many were acknowledged, and the error.
WRITER = """
import asyncio, os, sys
from db import Database, DatabaseError, Recorder, get_session
from tests.db.test_database_faults import NOISE
from tests.db.test_recorder import opened
{setup}
async def main():
    async with Recorder(sys.argv[1]) as recorder:
        {inside}
        for turn in range(2000):
            seen = NOISE[turn:] + str(turn)
            try:
                await recorder.append(opened(int(sys.argv[2]), turn, 0, seen))
            except DatabaseError as error:
                print(turn)
                print(type(error).__name__, str(error))
                return
try:
    asyncio.run(main())
except DatabaseError as error:
    print(0)
    print(type(error).__name__, str(error))
"""


def writer(url: str, game: int, setup: str = "", inside: str = "pass") -> tuple[int, str]:
    """(turns acknowledged, the error that ended it) of a process of its own."""
    program = WRITER.format(setup=setup, inside=inside)
    done = subprocess.run(
        [sys.executable, "-c", program, url, str(game)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, error = done.stdout.splitlines()
    return int(count), error


def again(url: str, work: Callable[[Session], Any], **how: Any) -> Any:
    """What `work` makes of a session that comes back when the server does."""
    with Database(url) as database:
        return database.reconnecting(work, **how)


def whole(url: str, game: int, turns: int) -> None:
    """Every acknowledged turn is there, nothing else is, and the file is sound."""
    check_integrity(url)
    assert [turn.observation for turn in read(url, game)] == [
        NOISE[turn:] + str(turn) for turn in range(turns)
    ]


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
"""


def test_a_limit_on_the_size_of_files(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)
    turns, error = writer(sqlite_url, first, LIMITED)
    assert turns > 3
    assert error.startswith("WriteFailed")
    assert "no file grow beyond 600000 bytes; raise it with `ulimit -f unlimited`" in error
    whole(sqlite_url, first, turns)


# SQLite refuses by itself to let a file grow beyond so many pages, as where a disk is full.
FEW_PAGES = """
import sqlite3
connect = sqlite3.connect
def limited(*args, **kwargs):
    connection = connect(*args, **kwargs)
    connection.execute("PRAGMA max_page_count = 100")
    return connection
sqlite3.connect = sqlite3.dbapi2.connect = limited
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that takes about a megabyte, and what a writer sets up to find it full: nothing on
    a real filesystem of that size, which only root can mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        yield folder, FEW_PAGES
        return
    try:
        yield folder, ""
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: tuple[Path, str], sqlite_template: Path) -> None:
    folder, setup = small_disk
    path = folder / "arena.db"
    shutil.copyfile(sqlite_template, path)
    first, *_ = tournament(str(path))
    turns, error = writer(str(path), first, setup)
    assert turns > 3
    assert error == (
        f"WriteFailed the disk that holds {path} is full: free some space, then type the same "
        "command again; what was written is safe"
    )
    whole(str(path), first, turns)


def test_a_full_disk_in_a_session(sqlite_url: str) -> None:
    def fill(session: Session) -> None:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages}")
        Repository(session).create_prompt("long", NOISE * 50)

    with pytest.raises(WriteFailed, match="is full: free some space"):
        again(sqlite_url, fill, sleep=never)
    with get_session(sqlite_url) as session:
        assert Repository(session).get_prompts() == []


def test_a_full_disk_of_a_server() -> None:
    url = resolve_url("postgresql://me:secret@far/arena")
    error = psycopg.errors.DiskFull("could not extend file: No space left on device\nHINT: ...")
    found = fault(url, error)
    assert isinstance(found, WriteFailed)
    assert "is full (could not extend file: No space left on device): free some" in str(found)
    assert "secret" not in str(found)


def test_a_pooler_that_refuses_what_a_connection_begins_with() -> None:
    url = resolve_url("postgresql://me:secret@far/arena")
    said = "connection failed: FATAL:  unsupported startup parameter: options"
    found = fault(url, psycopg.OperationalError(said))
    assert type(found) is DatabaseError
    assert "remove it there, and set it for the user instead" in str(found)


def test_a_database_that_somebody_keeps_locked(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)
    path = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.run(refused(sqlite_url, first))

        def touch(session: Session) -> None:
            session.connection().exec_driver_sql("PRAGMA busy_timeout=20")
            Repository(session).create_prompt("p", "You play.")

        # Waiting longer than the timeout does not help: this is not tried again.
        with pytest.raises(WriteFailed, match=rf"{path} is locked by another process .*lsof"):
            again(sqlite_url, touch, sleep=never)
    with get_session(sqlite_url) as session:
        assert [prompt.name for prompt in Repository(session).get_prompts()] == ["plain"]
    assert read(sqlite_url, first) == []


async def refused(url: str, game: int) -> None:
    with pytest.raises(WriteFailed, match="is locked by another process"):
        async with Recorder(url, busy_timeout_ms=20):
            raise AssertionError


def never(_seconds: float) -> None:
    raise AssertionError("nothing is waited for")


NOBODY = """
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="arena-open-"))
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o777)
    shutil.rmtree(folder)


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o777), (0o666, 0o555)])
def test_a_file_or_folder_that_may_not_be_written(
    open_folder: Path, sqlite_template: Path, file_mode: int, folder_mode: int
) -> None:
    path = open_folder / "arena.db"
    shutil.copyfile(sqlite_template, path)
    first, *_ = tournament(str(path))
    path.chmod(file_mode)
    open_folder.chmod(folder_mode)
    turns, error = writer(str(path), first, NOBODY)
    assert turns == 0
    assert error.startswith(f"UnwritablePath {path} cannot be written (")
    assert error.endswith("give another path, or change the mode of the file and of its folder")
    open_folder.chmod(0o777)
    path.chmod(0o666)
    whole(str(path), first, 0)


FEW_FILES = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
"""
ALL_OPEN = """held = []
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        try:
            with get_session(sys.argv[1]) as session:
                session.connection()
        except DatabaseError as error:
            print(0)
            print(type(error).__name__, str(error))
            return"""


def test_too_many_open_files(database_url: str) -> None:
    first, *_ = tournament(database_url)
    _, error = writer(database_url, first, FEW_FILES, ALL_OPEN)
    assert error.startswith("UnwritablePath")
    assert "this shell lets a process open 64 files; raise it with `ulimit -n 4096`" in error


def test_a_file_that_was_cut_short(sqlite_url: str) -> None:
    first, *_ = tournament(sqlite_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    check_integrity(path)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(Damaged, match=rf"{path} is damaged \(.*\): use an earlier copy.*recover"):
        check_integrity(path)
    with pytest.raises(Damaged), get_session(path) as session:
        Repository(session).get_game_by_id(first, with_relations=True)


def test_a_page_that_was_overwritten(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'games'"
        (page,) = connection.execute(query).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    with pytest.raises(Damaged):
        check_integrity(sqlite_url)
    with pytest.raises(Damaged, match="malformed"), get_session(sqlite_url) as session:
        session.connection().execute(text("SELECT * FROM games")).all()


def test_what_is_no_file_of_ours_is_not_looked_at(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    check_integrity(tmp_path / "not-there.db")
    check_integrity(postgresql_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    os.truncate(path, path.stat().st_size // 2)
    monkeypatch.setattr("db.engine.LARGEST_CHECKED", 4096)
    check_integrity(sqlite_url)
    (tmp_path / "notes.db").write_text("Dear diary, " * 100)
    monkeypatch.undo()
    with pytest.raises(DatabaseError, match="not an SQLite database"):
        check_integrity(tmp_path / "notes.db")


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    naps: list[float] = []
    url = f"postgresql://me:secret@/arena?host={tmp_path}"
    with pytest.raises(Unreachable, match="start the server, or give another URL") as caught:
        again(url, Repository, patience=60.0, sleep=naps.append, clock=lambda: float(sum(naps)))
    assert "secret" not in str(caught.value)
    assert 60.0 <= sum(naps) <= 62.0
    assert naps == sorted(naps)
    naps.clear()
    with pytest.raises(Unreachable):
        again(url, Repository, patience=0.0, sleep=naps.append)
    assert naps == []


def test_what_waiting_does_not_mend(postgresql_url: str) -> None:
    url = postgresql_url.replace("/arena_", "/no_such_")
    with pytest.raises(DatabaseError, match="does not exist") as caught:
        again(url, Repository, sleep=never)
    assert type(caught.value) is DatabaseError


def test_a_session_whose_server_hangs_up_is_run_again(postgresql_url: str) -> None:
    runs: list[int] = []

    def work(session: Session) -> Any:
        runs.append(1)
        repo = Repository(session)
        prompt = repo.get_or_create_prompt("p", "You play.")
        if len(runs) == 1:
            hang_up(postgresql_url)
        repo.get_or_create_prompt("q", "You play well.")
        return prompt

    assert again(postgresql_url, work, sleep=lambda seconds: None).name == "p"
    assert len(runs) == 2
    with get_session(postgresql_url) as session:
        assert len(Repository(session).get_prompts()) == 2


def test_a_commit_whose_outcome_is_unknown_is_run_again(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = tournament(postgresql_url)
    runs: list[int] = []
    commit = Session.commit

    def committed_and_lost(self: Session) -> None:
        commit(self)
        runs.append(1)
        if len(runs) == 1:
            raise Unreachable("the answer to the commit never came")

    with get_session(postgresql_url) as session:
        session.get_one(Game, first).status = "void"
    monkeypatch.setattr(Session, "commit", committed_and_lost)
    retried = again(postgresql_url, lambda session: Repository(session).retry_game(first))
    assert len(runs) == 2
    assert retried.attempt == 1
    assert scalar(postgresql_url, "SELECT COUNT(*) FROM games WHERE schedule_index = 0") == 2


def test_a_read_only_server(postgresql_url: str) -> None:
    first, *_ = tournament(postgresql_url)
    engine = get_engine(postgresql_url)
    name = engine.url.database
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    engine.dispose()

    async def main() -> None:
        async with Recorder(postgresql_url) as recorder:
            await recorder.append(opened(first, 0, 0, "seen"))

    with pytest.raises(WriteFailed, match="may not be written"):
        asyncio.run(main())
    with pytest.raises(WriteFailed, match="may not be written"), get_session(postgresql_url) as s:
        Repository(s).create_prompt("p", "You play.")
