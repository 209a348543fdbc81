"""No form of a database's URL shows a password, and none ends in a traceback."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from db import Database, DatabaseError
from db.errors import UnknownURL
from db.urls import resolve_url, shown, typed, without_secrets

PASSWORD = "hunter2pass"
CLOSED = "127.0.0.1:1"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{PASSWORD}@{CLOSED}/arena",
        f"postgresql://me@{CLOSED}/arena?password={PASSWORD}",
        f"postgresql://{CLOSED}/arena?user=me&password={PASSWORD}&sslmode=disable",
        f"postgresql:///arena?host=127.0.0.1&port=1&password={PASSWORD}",
        f"postgresql://me@{CLOSED}/arena?sslpassword={PASSWORD}",
        f"postgresql://me@{CLOSED}/arena?passfile=/home/{PASSWORD}",
        f"postgresql://me@{CLOSED}/arena?options=-c%20a.b%3D{PASSWORD}",
        f"postgresql://me:{PASSWORD}%40x@{CLOSED}/arena",
        f"postgresql://me:x@{PASSWORD}@{CLOSED}/arena",
        f"postgresql://me:{PASSWORD}@x@{CLOSED}/arena",
        f"postgresql://me/x:{PASSWORD}@{CLOSED}/arena",
        f"postgresql://me:x/{PASSWORD}@{CLOSED}/arena",
        f"postgresql://me:{CLOSED}:{PASSWORD}/arena",
        f"postgresql://me:{PASSWORD}@127.0.0.1:port/arena",
        f"postgresql://me:{PASSWORD}@{CLOSED}/arena?no_such_option=1",
        f"postgresql://me:{PASSWORD}@{CLOSED}/arena?{PASSWORD}=1",
        f"postgresql://me:{PASSWORD}@{CLOSED}/arena?connect_timeout=soon",
        f"postgresql://me:{PASSWORD}@{CLOSED}/arena?sslmode=perhaps",
        f"postgresql://me@{CLOSED}/arena?dbname=password%3D{PASSWORD}",
        f"mysql://me:{PASSWORD}@{CLOSED}/arena",
        f"sqlite://me:{PASSWORD}@{CLOSED}/arena.db",
        f"sqlite:///no/such/folder/arena.db?key={PASSWORD}",
        f"postgresql:/me:{PASSWORD}@{CLOSED}/arena",
        f"postgresql//me:{PASSWORD}@{CLOSED}/arena",
        f"postgres;//me:{PASSWORD}@{CLOSED}/arena",
        f"me:{PASSWORD}@{CLOSED}/arena",
        f"host=127.0.0.1 dbname=arena password={PASSWORD}",
        f"postgre sql://me:{PASSWORD}@{CLOSED}/arena",
        f"://me:{PASSWORD}@{CLOSED}/arena",
    ],
)
def test_a_password_is_never_in_a_message(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        look(url)
    assert PASSWORD not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def look(url: str) -> None:
    with Database(url) as database:
        assert PASSWORD not in repr(database)
        database.check(create=False)


def test_what_is_shown_of_a_server_is_its_place() -> None:
    url = resolve_url("postgresql://me:secret@host:5/db?sslmode=require&passfile=/x&host=/run/pg")
    assert shown(url) == ("postgresql+psycopg://me:***@host:5/db?host=%2Frun%2Fpg&sslmode=require")
    assert typed("postgresql://me@host/db") == "postgresql://me@host/db"
    assert typed("games.db") == "games.db"
    assert "secret" not in str(typed("postgresql://me@host/db?password=secret"))
    assert without_secrets(url, "no secret of me") == "no *** of me"


@pytest.mark.parametrize("path", ["results@home.db", "C:\\games\\a@b.db", "postgres.db", "a:b.db"])
def test_an_odd_path_is_a_path(path: str) -> None:
    assert resolve_url(path).database == path


def test_a_name_with_spaces_is_written_with_percents_and_shown_so() -> None:
    url = resolve_url("postgresql://me@host/we%20ird%22q%2520%C3%BC%40?sslmode=require")
    assert url.database == 'we ird"q%20\N{LATIN SMALL LETTER U WITH DIAERESIS}@'
    assert shown(url) == "postgresql+psycopg://me@host/we%20ird%22q%2520%C3%BC%40?sslmode=require"
    # What is shown can be typed, and what was read here is not read again.
    assert resolve_url(shown(url)) == url
    assert resolve_url(url) == url
    for torn in ("a b", "a@b", "a=b"):
        with pytest.raises(UnknownURL, match="write them %40 and %20 there"):
            resolve_url(f"postgresql://me@host/{torn}")
    with pytest.raises(UnknownURL, match="may be read as one"):
        resolve_url(make_url("postgresql://me/x:hunter2pass@host/arena"))


def test_an_option_is_named_when_it_is_unknown() -> None:
    with pytest.raises(UnknownURL, match="the options ssl, which PostgreSQL's driver does not"):
        resolve_url("postgresql://me@host/db?ssl=true")
