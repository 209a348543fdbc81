"""A database that was copied into one of the other kind is equal to it, row for row."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db import Database, Repository, schema
from db.errors import Damaged, DatabaseError, MissingDatabase
from db.example import enter, play
from db.maintenance import copying
from db.maintenance.copying import copy_database
from tests.db.holders import Waiting, challenge, row
from tests.db.tournaments import tournament
from tests.db.whole import everything, grown


def copied(source: str, target: str) -> list[tuple[int, int]]:
    """What was told of the rows."""
    told: list[tuple[int, int]] = []
    with Database(source) as first, Database(target) as second:
        copy_database(first, second, lambda done, of: told.append((done, of)))
    return told


@pytest.fixture(
    params=[
        ("sqlite_url", "empty_postgresql_url"),
        ("postgresql_url", "empty_file_url"),
        pytest.param(("sqlite_url", "empty_file_url"), marks=pytest.mark.sweep),
        pytest.param(("postgresql_url", "empty_postgresql_url"), marks=pytest.mark.sweep),
    ],
    ids=" to ".join,
)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A database with the tables, and an empty one."""
    source, target = (str(request.getfixturevalue(name)) for name in request.param)
    return source, target


@pytest.fixture
def empty_file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def third_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'third.db'}"


def test_there_and_back_every_row_is_equal(pair: tuple[str, str], third_url: str) -> None:
    database_url, empty_database_url = pair
    grown(database_url)
    before = everything(database_url)
    assert all(before.values()), "no table is empty"

    told = copied(database_url, empty_database_url)
    copied(empty_database_url, third_url)

    assert everything(empty_database_url) == before
    assert everything(third_url) == before
    assert told[-1] == (sum(map(len, before.values())),) * 2
    for url in (empty_database_url, third_url):
        with Database(url) as copy:
            copy.check(create=False, integrity=True)
            assert schema.differences(copy.engine) == [], "the guards are back"
            with copy.session() as session:
                # The numbers go on after those that are taken.
                new = Repository(session).create_kind("thoughtful")
                assert new.id == max(kind["id"] for kind in before["kinds"]) + 1


def test_guards_add_nothing_to_what_is_copied(pair: tuple[str, str]) -> None:
    """Of a game that comes with its end they would write once more what happened to it."""
    database_url, empty_database_url = pair
    enter(database_url)
    play(database_url)
    before = everything(database_url)
    assert [state["status"] for state in before["game_states"]][-1] == "completed"

    copied(database_url, empty_database_url)

    assert everything(empty_database_url) == before


def test_a_copy_is_of_one_moment_and_in_batches(
    pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database_url, empty_database_url = pair
    tournament(database_url, games=9)
    lease = challenge(database_url, Waiting())
    monkeypatch.setattr(copying, "_BATCH", 2)
    before = everything(database_url)
    once = iter([True])

    def told(_done: int, _of: int) -> None:
        if next(once, False):
            tournament(database_url, name="another")

    with Database(database_url) as first, Database(empty_database_url) as second:
        copy_database(first, second, told)

    assert everything(empty_database_url) == before
    assert len(everything(database_url)["tournaments"]) == 2
    # Nobody holds a lease in the copy.
    assert row(empty_database_url)[:2] == (None, lease.fence + 1)
    assert row(database_url).holder is not None
    lease.release()


def test_a_copy_that_fails_leaves_no_row(pair: tuple[str, str]) -> None:
    database_url, empty_database_url = pair
    tournament(database_url)

    class Stopped(Exception):
        pass

    def told(done: int, of: int) -> None:
        if done > of / 2:
            raise Stopped

    with (
        Database(database_url) as first,
        Database(empty_database_url) as second,
        pytest.raises(Stopped),
    ):
        copy_database(first, second, told)
    assert not rows_in(empty_database_url)
    if empty_database_url.startswith("sqlite"):
        assert not [*Path(empty_database_url.removeprefix("sqlite:///")).parent.glob("*empty.db*")]

    copied(database_url, empty_database_url)
    assert everything(empty_database_url) == everything(database_url)


def rows_in(url: str) -> bool:
    with Database(url) as database:
        if schema.current(database.engine) is None:
            return False
    return any(rows for name, rows in everything(url).items() if name != "event_types")


def test_what_holds_rows_is_not_overwritten(database_url: str, third_url: str) -> None:
    tournament(database_url)
    tournament(third_url)
    before = everything(database_url)

    for source, target in ((third_url, database_url), (database_url, database_url)):
        with pytest.raises(DatabaseError, match="holds rows, and nothing of them is overwritten"):
            copied(source, target)
    assert everything(database_url) == before


def test_what_cannot_be_copied_says_why(
    sqlite_url: str, empty_postgresql_url: str, third_url: str
) -> None:
    with pytest.raises(MissingDatabase):
        copied(third_url, empty_postgresql_url)
    tournament(sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as file:
        file.execute("UPDATE tournaments SET config = '[1]'")
        file.commit()

    said = r"tournaments.config holds what is no JSON: '\[1\]'; `arena db verify` lists"
    with pytest.raises(Damaged, match=said):
        copied(sqlite_url, empty_postgresql_url)
    assert not rows_in(empty_postgresql_url)


@pytest.mark.parametrize("place", ["third_url", "empty_postgresql_url"])
def test_a_row_that_names_none_is_said_and_nothing_is_kept(
    sqlite_url: str, place: str, request: pytest.FixtureRequest
) -> None:
    target = str(request.getfixturevalue(place))
    tournament(sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as file:
        file.execute("UPDATE game_players SET agent_id = 4711 WHERE id = 1")
        file.commit()

    said = "the source names rows of agents in game_players that are not there: `arena db verify`"
    with pytest.raises(DatabaseError, match=said):
        copied(sqlite_url, target)
    assert not rows_in(target)


def test_json_that_the_server_refuses_is_named(sqlite_url: str, empty_postgresql_url: str) -> None:
    tournament(sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as file:
        file.execute("""UPDATE tournaments SET config = '{"games": NaN}'""")
        file.commit()

    said = r"tournaments.config in the source holds what the server refuses \(invalid input"
    with pytest.raises(Damaged, match=said):
        copied(sqlite_url, empty_postgresql_url)
    assert not rows_in(empty_postgresql_url)
