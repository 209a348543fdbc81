"""A file without its log, or with another's, is noticed before anything is changed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db import Database
from db.engine import check_integrity
from db.looking import look
from db.urls import resolve_url
from db.write_ahead import missing_log
from tests.cli.commands import run_arena
from tests.db.holders import holder
from tests.db.tournaments import tournament
from tests.db.whole import everything


@pytest.fixture
def file(sqlite_url: str) -> Path:
    tournament(sqlite_url)
    return Path(sqlite_url.removeprefix("sqlite:///"))


@contextmanager
def writing(file: Path, *statements: str) -> Iterator[sqlite3.Connection]:
    """Somebody who writes, and whose log stays while this lasts."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        for statement in statements:
            connection.execute(statement)
        yield connection


def log(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def copied(file: Path, to: Path, its_log: Path | None) -> Path:
    to.mkdir()
    target = shutil.copyfile(file, to / file.name)
    if its_log is not None:
        shutil.copyfile(its_log, log(target))
    return target


def as_it_is(file: Path) -> tuple[bytes, bytes]:
    return file.read_bytes(), log(file).read_bytes()


# Each adds to the file, so that its first page changes.
GROWS = (
    "INSERT INTO prompts (name, content, content_hash, active, created_at) SELECT "
    "'long ' || hex(randomblob(4)), hex(randomblob(20000)), hex(randomblob(8)), 1, created_at "
    "FROM prompts LIMIT 1"
)


def test_a_log_of_its_own_is_a_part_of_it(file: Path, tmp_path: Path) -> None:
    with writing(file, GROWS):
        both = copied(file, tmp_path / "both", log(file))
        alone = copied(file, tmp_path / "alone", None)

    prompts = [len(everything(f"sqlite:///{each}")["prompts"]) for each in (both, alone)]
    assert prompts == [2, 1], "what is in the log alone is lost without it"


def test_an_earlier_log_does_not_take_back_what_came_later(file: Path, tmp_path: Path) -> None:
    with writing(file, GROWS) as other:
        early = Path(shutil.copyfile(log(file), tmp_path / "early"))
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.execute(GROWS)
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        later = copied(file, tmp_path / "later", early)
    before = as_it_is(later)

    for command in (["games"], ["resume"], ["db", "verify"], ["db", "backup"]):
        result = run_arena(*command, "--db", later)
        assert (result.exit_code, result.stdout) == (2, ""), command
        assert f"{later}-wal is of an earlier moment" in result.stderr
    assert as_it_is(later) == before
    assert sorted(later.parent.iterdir()) == [later, log(later)], "looking makes no file"
    index = later.with_name(f"{later.name}-shm")
    index.write_bytes(b"of a process that was killed")
    for command in (["games"], ["resume"], ["db", "verify"], ["db", "backup"]):
        assert "-wal is of an earlier moment" in run_arena(*command, "--db", later).stderr
    assert as_it_is(later) == before
    assert index.read_bytes() == b"of a process that was killed"
    index.unlink()
    log(later).unlink()
    assert len(everything(f"sqlite:///{later}")["prompts"]) == 3


def test_another_file_s_log_is_told_from_damage(file: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.db"
    tournament(f"sqlite:///{base}", games=40)
    with writing(base, *[GROWS] * 3) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for _ in range(5):
        # Every connection counts its changes anew: the log is of the younger file.
        with writing(file, GROWS, "PRAGMA wal_checkpoint(TRUNCATE)"):
            pass
    with writing(file, GROWS, "DELETE FROM games WHERE id = 1"):
        mixed = copied(base, tmp_path / "mixed", log(file))
    before = as_it_is(mixed)

    for command in (["games"], ["resume"], ["db", "verify"], ["db", "backup"]):
        result = run_arena(*command, "--db", mixed)
        assert (result.exit_code, result.stdout) == (2, ""), command
        assert f"{mixed}-wal belongs to another file" in result.stderr
        assert "move it away" in result.stderr
    with ThreadPoolExecutor() as pool:
        at_once = [*pool.map(lambda _: look(mixed, pages=True), range(4))]
    assert at_once == ["unsound"] * 4, "none takes another that looks for one that plays"
    assert as_it_is(mixed) == before
    assert sorted(mixed.parent.iterdir()) == [mixed, log(mixed)]
    log(mixed).unlink()
    check_integrity(mixed)


def test_a_copy_without_its_log_is_noticed(file: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{file}"
    with holder(url) as process:
        alone = copied(file, tmp_path / "alone", None)
        both = copied(file, tmp_path / "both", log(file))
        process.kill()
        process.wait()

    said = missing_log(resolve_url(alone))
    assert said is not None
    assert said.startswith(
        f"{alone} is a copy of a file that a run was writing to, without the log"
    )
    verified = run_arena("db", "verify", "--db", alone)
    assert verified.exit_code == 1
    assert said in verified.stdout
    assert missing_log(resolve_url(file)) is None, "its own run was killed, and its log is here"
    for whole in (both, file):
        assert run_arena("db", "verify", "--db", whole).exit_code == 0
    with Database(alone) as database:
        database.lease(1).release()
    assert missing_log(resolve_url(alone)) is None, "somebody has gone on with it"


def test_a_log_that_is_none_is_left_to_sqlite(file: Path) -> None:
    log(file).write_bytes(b"\0" * 10_000)
    check_integrity(file)
    log(file).write_bytes(b"\xff" * 10_000)
    with Database(file) as database:
        database.check(create=False, integrity=True)


# Whether another process gets a file for itself, which SQLite's locks keep from it.
ALONE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
connection.execute("PRAGMA locking_mode=EXCLUSIVE")
connection.execute("SELECT count(*) FROM prompts")
"""


def test_looking_lets_go_of_no_lock_of_this_process(file: Path) -> None:
    with writing(file, GROWS), Database(file) as database:
        database.check(create=False, integrity=True)
        assert missing_log(resolve_url(file)) is None
        for command in (["games"], ["db", "verify"], ["db", "backup"]):
            assert run_arena(*command, "--db", file).exit_code in (0, 1), command
        other = subprocess.run(
            [sys.executable, "-c", ALONE, file], capture_output=True, text=True, check=False
        )
    assert other.stderr.endswith("database is locked\n")


# Types commands while this process has the file open, and says which of them opened it, its log or
# another of SQLite's files otherwise than by SQLite.
WATCHED = """
import sqlite3, sys
from pathlib import Path
from tests.cli.commands import TOURNAMENT, run_arena

file, folder = sys.argv[1], Path(sys.argv[2])
(folder / "small.yaml").write_text(TOURNAMENT)
(folder / "keep.yaml").write_text("transcripts: 0\\n")
ours = {f"{file}{beside}" for beside in ("", "-wal", "-shm", "-journal")}
opened = []

def hook(event, arguments):
    if event == "open" and str(arguments[0]) in ours:
        opened.append(f"{command}: {arguments[:2]}")

command = "none"
sys.addaudithook(hook)
keeper = sqlite3.connect(file, isolation_level=None)
keeper.execute("BEGIN")
keeper.execute("SELECT count(*) FROM games").fetchone()
open(file, "rb").close()
assert len(opened) == 1, "a program that opens it is noticed"
opened.clear()
keeper.execute("ROLLBACK")
keeper.execute("PRAGMA wal_autocheckpoint=0")
for command in sys.stdin.read().splitlines():
    typed = command.replace("FOLDER", str(folder)).replace("FILE", file)
    result = run_arena(*typed.split())
    assert result.exit_code == 0, (command, result.stderr)
print(*opened, sep="\\n", end="")
"""
TYPED = """\
run FOLDER/small.yaml --db FILE
resume small --db FILE
games --db FILE
doctor --db FILE
export --archive FOLDER/small.zip --tournament small --db FILE
db verify --db FILE
db backup --to FOLDER --db FILE
db copy FILE FOLDER/copy.db
db upgrade --rehearse --db FILE
db stats --db FILE
db prune --policy FOLDER/keep.yaml --yes --db FILE
db prune --undo --db FILE
"""


@pytest.mark.slow
def test_no_command_opens_what_sqlite_has_open(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    file = sqlite_url.removeprefix("sqlite:///")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, file, str(tmp_path / "made")],
        input=TYPED, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
