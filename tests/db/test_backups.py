"""A backup is whole or not there, and what is restored of it is equal, row for row."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import text

from db import Database, Repository, get_session, init_db, schema
from db.backup_files import manifest_path
from db.errors import Damaged, DatabaseError, MissingDatabase, SchemaTooNew, UnwritablePath
from db.maintenance import backup as backups
from db.maintenance.backup import back_up
from db.maintenance.restore import restore
from tests.db.holders import Waiting, challenge, holder, row
from tests.db.tournaments import tournament
from tests.db.whole import everything, grown

pytestmark = pytest.mark.usefixtures("postgresql_client")


def backed_up(url: str, folder: Path, keep: int | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    with Database(url) as database:
        return back_up(database, folder, keep=keep).file


def test_backups_of_one_second_have_names_of_their_own(sqlite_url: str, tmp_path: Path) -> None:
    with ExitStack() as begun:
        places = [begun.enter_context(backups._begun(tmp_path, "a", ".db")) for _ in range(3)]
        assert [target.name for target, _ in places] == ["a.db", "a-2.db", "a-3.db"]
        assert len({partial for _, partial in places}) == 3
    tournament(sqlite_url)
    with ThreadPoolExecutor(4) as pool:
        made = [*pool.map(lambda _: backed_up(sqlite_url, tmp_path / "kept"), range(4))]
    assert listed(tmp_path / "kept") == sorted(
        f"{each.name}{end}" for each in made for end in ("", ".json")
    )
    for number, each in enumerate(made):
        put_back(each, f"sqlite:///{tmp_path / f'{number}.db'}")


def put_back(backup: Path, url: str) -> None:
    with Database(url) as database:
        restore(backup, database)


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def backup(sqlite_url: str, tmp_path: Path) -> Path:
    """Of a file with a tournament in it."""
    tournament(sqlite_url)
    return backed_up(sqlite_url, tmp_path / "kept")


def test_every_row_of_every_table_comes_back(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    grown(database_url)
    before = everything(database_url)
    assert all(before.values()), "no table is empty"

    backup = backed_up(database_url, tmp_path / "kept")
    put_back(backup, other_database_url)

    assert everything(other_database_url) == before
    assert everything(database_url) == before
    manifest = json.loads(manifest_path(backup).read_text())
    assert manifest["rows"] == {name: len(rows) for name, rows in before.items()}
    assert listed(backup.parent) == [backup.name, f"{backup.name}.json"]
    own = Path(database_url.removeprefix("sqlite:///"))
    assert manifest_path(backup).stat().st_mode & 0o777 == 0o600
    assert backup.stat().st_mode & 0o777 == (own.stat().st_mode & 0o777 if own.exists() else 0o600)
    with Database(other_database_url) as other:
        other.check(create=False, integrity=True)
        assert schema.differences(other.engine) == []
        with other.session() as session:
            # The numbers go on after those that are taken.
            new = Repository(session).create_kind("thoughtful")
            assert new.id == max(kind["id"] for kind in before["kinds"]) + 1


def test_nobody_holds_a_lease_in_what_was_restored(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    tournament(database_url)
    with holder(database_url):
        backup = backed_up(database_url, tmp_path)
        put_back(backup, other_database_url)

        assert row(database_url).holder is not None
        assert row(other_database_url)[:2] == (None, row(database_url).fence + 1)
        waiting = Waiting()
        challenge(other_database_url, waiting).release()
        assert waiting.looks == 0


def test_older_backups_go_when_the_new_one_was_read_back(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tmp_path / "others.db"
    init_db(others)
    kept = tmp_path / "kept"
    stranger = backed_up(str(others), kept)
    (kept / "notes.json").write_text("[]")
    first, second = (backed_up(database_url, kept) for _ in range(2))
    # As a search in a backup leaves it.
    first.with_name(f"{first.name}-search").touch()

    third = backed_up(database_url, kept, keep=2)

    assert not first.exists()
    assert {path.name for path in (second, third, stranger)} < {*listed(kept)}
    assert len(listed(kept)) == 7, "three with their manifests, and the notes"
    before = listed(kept)
    monkeypatch.setattr(backups, "list_dump", lambda *_: "it is cut short")
    monkeypatch.setattr(backups, "check_integrity", refusing)
    with pytest.raises(DatabaseError, match="cut short"):
        backed_up(database_url, kept, keep=1)
    assert listed(kept) == before


def refusing(*_: object, **__: object) -> None:
    raise Damaged("it is cut short")


def flip(backup: Path) -> None:
    with backup.open("r+b") as raw:
        raw.seek(5000)
        byte = raw.read(1)[0]
        raw.seek(5000)
        raw.write(bytes([byte ^ 1]))


def cut(backup: Path) -> None:
    os.truncate(backup, 4096)


def lose(backup: Path) -> None:
    manifest_path(backup).unlink()


def garble(backup: Path) -> None:
    manifest_path(backup).write_text('{"format": "llm-arena backup", "version": 1}')


def deepen(backup: Path) -> None:
    manifest_path(backup).write_text("[" * 100_000)


def later(backup: Path) -> None:
    told = json.loads(manifest_path(backup).read_text())
    manifest_path(backup).write_text(json.dumps(told | {"revision": "9999"}))


def miscount(backup: Path) -> None:
    told = json.loads(manifest_path(backup).read_text())
    told["rows"]["games"] += 1
    manifest_path(backup).write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("harm", "error", "said"),
    [
        (flip, Damaged, "its bytes are not those that were written"),
        (cut, Damaged, "it has 4,096 bytes, and was written with"),
        (lose, DatabaseError, "is missing, which says what .* held"),
        (garble, DatabaseError, "is no manifest of a backup"),
        (deepen, DatabaseError, "is no manifest of a backup"),
        (later, SchemaTooNew, "of revision 9999, this release knows only"),
        (miscount, Damaged, "games has 4 rows, and had 5"),
        (Path.unlink, DatabaseError, "there is no backup"),
    ],
)
def test_a_backup_that_is_not_whole_leaves_nothing(
    backup: Path,
    tmp_path: Path,
    harm: Callable[[Path], None],
    error: type[DatabaseError],
    said: str,
) -> None:
    harm(backup)
    (tmp_path / "new").mkdir()

    with pytest.raises(error, match=said):
        put_back(backup, f"sqlite:///{tmp_path}/new/arena.db")
    assert listed(tmp_path / "new") == []


def test_what_holds_rows_is_not_overwritten(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    backup = backed_up(database_url, tmp_path / "kept")
    tournament(other_database_url)
    before = everything(other_database_url)

    with pytest.raises(DatabaseError, match="holds rows, and nothing of them is overwritten"):
        put_back(backup, other_database_url)
    assert everything(other_database_url) == before


def test_empty_tables_make_place(
    database_url: str, other_database_url: str, tmp_path: Path
) -> None:
    tournament(database_url)
    init_db(other_database_url)

    put_back(backed_up(database_url, tmp_path / "kept"), other_database_url)

    assert everything(other_database_url) == everything(database_url)


def test_the_log_of_another_file_is_not_taken_for_the_new_one_s(
    backup: Path, tmp_path: Path
) -> None:
    left = tmp_path / "gone.db-wal"
    left.write_bytes(b"of a file that was deleted")

    with pytest.raises(DatabaseError, match=r"gone.db-wal is there, a part of another database"):
        put_back(backup, f"sqlite:///{tmp_path}/gone.db")
    assert not (tmp_path / "gone.db").exists()


def test_a_backup_of_one_kind_is_not_for_the_other(
    backup: Path, empty_postgresql_url: str, tmp_path: Path
) -> None:
    with pytest.raises(DatabaseError, match=r"a backup of an SQLite file.*`arena db copy`"):
        put_back(backup, empty_postgresql_url)
    dump = backed_up_empty(empty_postgresql_url, tmp_path)
    with pytest.raises(DatabaseError, match=r"a backup of a PostgreSQL database.*`arena db copy`"):
        put_back(dump, f"sqlite:///{tmp_path}/new.db")


def backed_up_empty(url: str, folder: Path) -> Path:
    init_db(url)
    return backed_up(url, folder / "dumps")


def test_a_dump_that_does_not_fit_leaves_an_empty_database(
    postgresql_url: str, empty_postgresql_url: str, tmp_path: Path
) -> None:
    tournament(postgresql_url)
    backup = backed_up(postgresql_url, tmp_path / "kept")
    with Database(empty_postgresql_url) as other, other.unchecked_session() as session:
        # What the tables need under this name is something else here.
        session.connection().execute(text("CREATE VIEW tournaments AS SELECT 1"))

    with pytest.raises(DatabaseError, match=r'pg_restore fails .*"tournaments" already exists'):
        put_back(backup, empty_postgresql_url)
    with Database(empty_postgresql_url) as other:
        assert schema.current(other.engine) is None


def test_a_backup_is_read_and_never_written(backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()

    assert schema.current(Database(backup).engine) == schema.HEAD
    init_db(backup)
    backed_up(str(backup), tmp_path / "again")
    with Database(backup) as database, database.session() as session:
        assert session.execute(text("SELECT count(*) FROM tournaments")).scalar_one() == 1
    with (
        pytest.raises(DatabaseError, match="is a backup, which stays as it was written"),
        Database(backup) as database,
        database.session() as session,
    ):
        session.execute(text("UPDATE tournaments SET name = 'another'"))
    with pytest.raises(DatabaseError, match="holds rows, and nothing of them is overwritten"):
        put_back(backup, str(backup))
    assert backup.read_bytes() == before
    put_back(backup, str(tmp_path / "new.db"))
    # What lost its manifest is a database like any other.
    manifest_path(backup).unlink()
    with Database(backup) as database, database.session() as session:
        session.execute(text("UPDATE tournaments SET name = 'another'"))


def test_the_client_must_be_there_and_as_new_as_the_server(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DatabaseError, match="there is no pg_dump here: install PostgreSQL's"):
        backed_up(postgresql_url, tmp_path)
    fake(tmp_path / "pg_dump", 'echo "pg_dump (PostgreSQL) 9.6.24"')
    with pytest.raises(DatabaseError, match=r"is of PostgreSQL 9, older than the server, which"):
        backed_up(postgresql_url, tmp_path)
    assert listed(tmp_path) == ["pg_dump"]


def fake(program: Path, does: str) -> None:
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(0o755)


def test_a_password_is_on_no_command_line(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = 'echo "$*" > said; echo "$PGPASSWORD" > known'
    fake(
        tmp_path / "pg_dump",
        f'case "$*" in *--version*) echo "pg_dump (PostgreSQL) 99.1";; *) {said}; '
        'echo "pg_dump: error: wrong password hunter-22" >&2; exit 1;; esac',
    )
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    url = postgresql_url.replace("postgres:@", "postgres:hunter-22@")
    assert url != postgresql_url

    with pytest.raises(DatabaseError, match=r"pg_dump fails with .*: wrong password \*\*\*$"):
        backed_up(url, tmp_path)
    assert (tmp_path / "known").read_text() == "hunter-22\n"
    assert "--no-password --dbname=" in (tmp_path / "said").read_text()
    assert "hunter-22" not in (tmp_path / "said").read_text()


def test_a_backup_waits_for_no_writer_and_no_writer_for_it(sqlite_url: str, tmp_path: Path) -> None:
    tournament(sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("UPDATE tournaments SET seed = 99")

        backup = backed_up(sqlite_url, tmp_path / "kept")

    with get_session(backup) as session:
        query = text("SELECT seed FROM tournaments")
        assert session.connection().execute(query).scalar() == 7


def test_there_must_be_something_to_back_up_and_a_place_for_it(tmp_path: Path) -> None:
    with Database(tmp_path / "none.db") as none:
        with pytest.raises(MissingDatabase, match=r"none.db to back up"):
            back_up(none)
        init_db(none)
        with pytest.raises(UnwritablePath, match=r"there is no folder .*/missing for the backup"):
            back_up(none, tmp_path / "missing")
