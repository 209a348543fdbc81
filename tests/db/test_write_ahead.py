"""A file without its log, or with another's, is noticed before anything is changed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from db import Database
from db.engine import check_integrity
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
    assert as_it_is(mixed) == before
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
