"""Other tables for a database: refused while somebody plays, rehearsed on a copy, and with a way
back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

import db
from db import Database, DatabaseError, get_session, init_db, schema
from db.errors import Damaged, LeaseHeld
from db.leases import end_dead
from db.maintenance import backup as backups
from db.maintenance.migrate import migrate, rehearse
from db.models.columns import Table
from tests.db.holders import Waiting, at, challenge, elsewhere, holder, row, write
from tests.db.tournaments import tournament

ROOT = str(Path(db.__file__).parent.parent)
BEFORE = f"{int(schema.HEAD) - 1:04}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A tournament on record, with the tables of this release."""
    tournament(database_url)
    with Database(database_url) as database:
        yield database


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    tournament(sqlite_url)
    with Database(sqlite_url) as database:
        yield database


def address(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def rows(database: Database | str | Path) -> dict[str, int]:
    with get_session(database, create=False) as session:
        return {
            name: session.connection().execute(text(f"SELECT COUNT(*) FROM {name}")).scalar_one()
            for name in Table.metadata.tables
        }


def revision(database: Database) -> str | None:
    return schema.current(database.engine)


def beside(database: Database) -> list[str]:
    """The files in its folder that are not its own."""
    file = Path(str(database.url.database))
    return sorted(
        path.name for path in file.parent.iterdir() if not path.name.startswith(file.name)
    )


def test_a_file_that_holds_rows_is_copied_first(sqlite: Database) -> None:
    before = rows(sqlite)

    down = migrate(sqlite, BEFORE, down=True)

    assert (down.before, down.after, revision(sqlite)) == (schema.HEAD, BEFORE, BEFORE)
    assert down.backup is not None
    assert down.backup.match(f"arena-{schema.HEAD}-20??????T??????Z.db")
    assert rows(down.backup) == before, "the copy is a database of this release"

    up = migrate(sqlite, "head")
    assert up.backup is not None
    assert up.backup.name.startswith(f"arena-{BEFORE}-")
    assert rows(sqlite) == before
    made = (down.backup.name, up.backup.name)
    assert beside(sqlite) == sorted([*made, *(f"{name}.json" for name in made)])


def test_a_copy_is_as_private_as_its_original(sqlite: Database) -> None:
    file = Path(str(sqlite.url.database))
    file.chmod(0o600)

    assert backups.back_up(sqlite).file.stat().st_mode == file.stat().st_mode


def test_two_copies_of_one_second_have_two_names(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(backups.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls(2026, 1, 31, 12, 0, 0, tzinfo=tz)

    monkeypatch.setattr(backups, "datetime", Stopped)

    assert [backups.back_up(sqlite).file.name for _ in range(2)] == [
        f"arena-{schema.HEAD}-20260131T120000Z.db",
        f"arena-{schema.HEAD}-20260131T120000Z-2.db",
    ]


def test_where_nothing_is_held_or_nothing_changes_nothing_is_copied(
    empty_database_url: str,
) -> None:
    with Database(empty_database_url) as database:
        assert migrate(database, BEFORE).backup is None, "there was no database"
        assert migrate(database, "head").backup is None, "there were no rows"
        assert migrate(database, "head").before == schema.HEAD
        tournament(empty_database_url)
        for none in (migrate(database, "head"), migrate(database, "head", down=True)):
            assert (none.before, none.after, none.backup) == (schema.HEAD, schema.HEAD, None)


def test_no_backup_makes_none(database: Database) -> None:
    assert migrate(database, BEFORE, down=True, backup=False).backup is None
    assert revision(database) == BEFORE


def test_the_backup_of_a_server_is_for_a_person_to_make(postgresql_url: str) -> None:
    tournament(postgresql_url)
    with Database(postgresql_url) as database:
        with pytest.raises(DatabaseError, match="holds rows") as caught:
            migrate(database, BEFORE, down=True)
        assert revision(database) == schema.HEAD
    said = str(caught.value)
    assert "`arena db backup --to FOLDER`" in said
    assert said.endswith("then type the same command again with --no-backup")


def test_a_damaged_file_is_neither_copied_nor_changed(sqlite: Database) -> None:
    file = Path(str(sqlite.url.database))
    with sqlite.session() as session:
        query = text("SELECT rootpage FROM sqlite_master WHERE name = 'game_players'")
        page = int(session.connection().execute(query).scalar_one())
    sqlite.close()
    with file.open("r+b") as raw:
        raw.seek((page - 1) * 4096)
        raw.write(b"\xff" * 4096)

    with pytest.raises(Damaged):
        migrate(sqlite, BEFORE, down=True)
    assert revision(sqlite) == schema.HEAD
    assert beside(sqlite) == []


def test_a_copy_that_cannot_be_made_changes_nothing(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups.shutil, "copymode", full)
    with pytest.raises(DatabaseError, match=r"cannot be copied to .*No space left"):
        migrate(sqlite, BEFORE, down=True)
    assert revision(sqlite) == schema.HEAD
    assert beside(sqlite) == []


@pytest.mark.slow
def test_while_a_tournament_is_run_the_tables_stay(database: Database) -> None:
    url = address(database)
    with holder(url) as process:
        # It says that it lives while it is watched.
        said = json.loads(row(url).holder)
        waiting = Waiting(lambda: beat(url))
        with pytest.raises(LeaseHeld, match=f"tournament 1 .*pid {process.pid} on"):
            end_dead(database.reconnecting, sleep=waiting.sleep, clock=waiting.clock)
        # Whoever does not watch believes it.
        for change in (
            lambda: schema.downgrade(database.engine, "base"),
            lambda: init_db(database, drop_all=True),
        ):
            with pytest.raises(LeaseHeld, match=f"pid {process.pid} on {said['host']}"):
                change()
    assert revision(database) == schema.HEAD
    assert rows(database)["games"] == 4


def beat(url: str) -> None:
    with get_session(url) as session:
        session.connection().execute(text("UPDATE leases SET beat = beat + 1"))


def test_a_dead_holder_does_not_keep_the_tables_from_anybody(database: Database) -> None:
    url = address(database)
    with holder(url) as process:
        process.kill()
    assert row(url).holder is not None

    # Whoever only looks whether it is dead leaves it to be found dead again.
    schema.downgrade(database.engine, BEFORE)
    schema.upgrade(database.engine)
    waiting = Waiting()
    end_dead(database.reconnecting, sleep=waiting.sleep, clock=waiting.clock)
    assert (waiting.looks, *row(url)[:2]) == (0, None, 2), "it was taken over and let go"

    with holder(url) as process:
        process.kill()
    migrate(database, BEFORE, down=True, backup=False)
    assert tuple(row(url))[:2] == (None, 4)


def test_a_holder_that_was_only_frozen_writes_nothing_afterwards(database: Database) -> None:
    url = address(database)
    frozen = challenge(url, Waiting())
    elsewhere(url)
    waiting = Waiting()

    end_dead(database.reconnecting, sleep=waiting.sleep, clock=waiting.clock)

    assert waiting.now == pytest.approx(10.0)
    with pytest.raises(db.errors.LeaseLost):
        write(url, frozen, 1)
    frozen.release()


def test_a_rehearsal_leaves_everything_as_it_was(database: Database) -> None:
    # Whoever plays on a file may go on; a server copies only what nobody is connected to.
    lease = challenge(address(database), Waiting())
    at(address(database)).close()
    before = rows(database)

    down = rehearse(database, BEFORE, down=True)
    up = rehearse(database, "head")
    away = rehearse(database, "base", down=True)

    assert (down.before, down.after) == (schema.HEAD, BEFORE)
    assert down.rows["games"] == (4, 4)
    assert (up.before, up.after, up.differences) == (schema.HEAD, schema.HEAD, ())
    assert up.rows == {name: (count, count) for name, count in before.items()}
    assert (away.after, away.rows["games"]) == (None, (4, None))
    assert down.seconds > 0
    # Nothing of the copies is left.
    assert rows(database) == before
    if database.url.drivername == "sqlite":
        assert beside(database) == []
    else:
        with database.session() as session:
            names = session.connection().execute(text("SELECT datname FROM pg_database")).scalars()
            assert not [name for name in names if "rehearsal" in name]
    lease.release()


def test_a_rehearsal_that_fails_says_so_and_is_thrown_away(
    sqlite: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.db.test_migrations import later_release

    later_release(tmp_path, monkeypatch, fail="raise RuntimeError('half way')")

    with pytest.raises(RuntimeError, match="half way"):
        rehearse(sqlite, "head")
    assert revision(sqlite) == f"{int(BEFORE) + 1:04}"
    assert beside(sqlite) == ["later"]


def test_a_server_that_will_not_copy_says_what_to_do(postgresql_url: str) -> None:
    tournament(postgresql_url)
    with Database(postgresql_url) as database, get_session(postgresql_url) as busy:
        busy.connection()
        with pytest.raises(DatabaseError, match=r"being accessed by other users.*restore a dump"):
            rehearse(database, BEFORE, down=True)


def test_what_cannot_be_done_is_said(sqlite: Database, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="no revision '7': expected head or one of 0001, 0002"):
        migrate(sqlite, "7")
    with pytest.raises(DatabaseError, match="no revision '7': expected base or one of 0001, 0002"):
        migrate(sqlite, "7", down=True)
    with (
        Database(tmp_path / "none.db") as none,
        pytest.raises(DatabaseError, match="nothing to rehearse"),
    ):
        rehearse(none, "head")
    assert not (tmp_path / "none.db").exists()


ALEMBIC = str(Path(sys.executable).with_name("alembic"))


def alembic(url: str, *arguments: str, folder: str | Path = ROOT) -> tuple[int, str]:
    """Plain `alembic` in a checkout: its exit code, and what it says."""
    done = subprocess.run(
        [ALEMBIC, *arguments],
        cwd=folder,
        env=os.environ | {"ARENA_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.slow
@pytest.mark.sweep
def test_plain_alembic_does_the_same(empty_database_url: str) -> None:
    url = empty_database_url
    assert alembic(url, "history")[1].startswith(f"{BEFORE} -> {schema.HEAD} (head)")
    assert alembic(url, "upgrade", BEFORE) == (0, "")
    assert alembic(url, "current") == (0, BEFORE)
    assert alembic(url, "upgrade", "head") == (0, "")
    assert alembic(url, "check") == (0, "No new upgrade operations detected.")
    tournament(url)
    challenge(url, Waiting()).release()
    before = rows(url)
    assert alembic(url, "downgrade", "-1") == (0, "")
    assert alembic(url, "upgrade", "+1") == (0, "")
    assert rows(url) == before, "no table was copied with its foreign keys on"

    code, said = alembic(url, "upgrade", "head", "--sql")
    assert (code, "--sql is not possible" in said) == (255, True)
    with holder(url) as process:
        assert alembic(url, "current") == (0, f"{schema.HEAD} (head)")
        code, said = alembic(url, "downgrade", "base")
        assert (code, f"run by another process (pid {process.pid}" in said) == (255, True)
    assert rows(url) == before


@pytest.mark.slow
@pytest.mark.sweep
def test_a_new_revision_has_the_next_number(tmp_path: Path) -> None:
    shutil.copyfile(Path(ROOT) / "pyproject.toml", tmp_path / "pyproject.toml")
    shutil.copytree(schema.migrations_path(), tmp_path / "migrations")
    url = f"sqlite:///{tmp_path}/arena.db"
    following = f"{int(schema.HEAD) + 1:04}"

    assert alembic(url, "upgrade", "head", folder=tmp_path) == (0, "")
    assert alembic(url, "revision", "-m", "Games get a colour", folder=tmp_path)[0] == 0

    made = tmp_path / "migrations" / "versions" / f"{following}_games_get_a_colour.py"
    assert f'down_revision: str | None = "{schema.HEAD}"' in made.read_text(encoding="utf-8")
    assert alembic(url, "upgrade", "head", folder=tmp_path) == (0, "")
    assert alembic(url, "current", folder=tmp_path) == (0, f"{following} (head)")


@pytest.mark.slow
def test_plain_alembic_makes_nothing_by_looking(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/none.db"

    assert alembic(url, "current") == (0, "")
    code, said = alembic(url, "check")
    assert (code, said) == (255, "FAILED: Target database is not up to date.")
    code, said = alembic("sqlite:///none/such/arena.db", "upgrade", "head")
    assert (code, "there is no folder none/such" in said) == (255, True)
    assert list(tmp_path.iterdir()) == []
