"""Reads the URL of a database, and shows it without what nobody but its server may see."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from db.errors import DatabaseError, UnknownURL

DEFAULT_URL = "sqlite:///arena.db"
URL_VARIABLE = "ARENA_DATABASE_URL"

HIDDEN = "***"
_EXPECTED = "expected a path, sqlite:///FILE or postgresql://USER@HOST/NAME"
_TAKES_A_URL = re.compile(r"(?i)^[a-z+]*(postgres|psql|sqlite|mysql|mariadb)[a-z0-9+]*[:;/]/?")
_CONNECTION_STRING = re.compile(r"(?i)\b(password|passwd|pwd|host|dbname)\s*=")
_AUTHORITY = re.compile(r":[^@]*@")
_DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
# What is shown of a query: where the server is, and nothing else that it may hold.
_PLACES = ("host", "hostaddr", "port", "user", "dbname", "service", "sslmode")
# A part that the driver would read as something else may hold a piece of a password.
_TORN = re.compile(r"[@=\s]|://")
# The name of a database as it was written: %20 is a space of its own, and tears nothing.
_NAME = re.compile(r"[\w+]+://(?:[^:/]*(?::[^@]*)?@)?[^/?]*(?:/([^?]*))?")
_DRIVER = "postgresql+psycopg"
"""Of the URLs that were read here, and found whole."""
# A shorter one is in half of all words.
_SHORTEST = 4


def resolve_url(db_path: str | Path | URL | None = None) -> URL:
    """The URL of a path, of a URL, or of None: `ARENA_DATABASE_URL`, then `sqlite:///arena.db`.

    Raises UnknownURL, which repeats nothing of a URL that may hold a password, for a database that
    is neither SQLite nor PostgreSQL, for an option that its driver does not know, and for a URL
    that can be read in two ways.
    """
    given = db_path if db_path is not None else os.environ.get(URL_VARIABLE) or DEFAULT_URL
    if isinstance(given, Path) or (isinstance(given, str) and "://" not in given):
        if str(given) in ("", ":memory:"):
            raise UnknownURL(
                f"{str(given)!r} is no file: expected a path, because a database in memory is "
                "gone when its session ends"
            )
        if isinstance(given, str):
            _refuse_mistyped(given)
        return URL.create("sqlite", database=str(given))
    url = _parsed(given)
    backend = url.drivername.lower().partition("+")[0]
    if backend == "sqlite":
        return _of_file(url)
    if backend in ("postgresql", "postgres"):
        return _of_server(url, given if isinstance(given, str) else None)
    raise UnknownURL(f"{backend!r} is not a database of ours: {_EXPECTED}")


def _refuse_mistyped(path: str) -> None:
    """A path that was meant as a URL would be shown, and made into a file, password and all."""
    looks = (
        _TAKES_A_URL.search(path)
        or _CONNECTION_STRING.search(path)
        or (_AUTHORITY.search(path) and not _DRIVE.match(path))
    )
    if looks and not Path(path).exists():
        raise UnknownURL(f"the database is written like a URL, and is none: {_EXPECTED}")


def _parsed(given: str | URL) -> URL:
    try:
        return make_url(given)
    except (ArgumentError, ValueError):
        # Behind it the parser repeats what it could not read.
        raise UnknownURL(
            f"the database URL cannot be read: {_EXPECTED}; a port is a number, and a password's "
            "own @ : / and % are written %40 %3A %2F and %25"
        ) from None


def _of_file(url: URL) -> URL:
    if any((url.username, url.password, url.host, url.port)):
        raise UnknownURL("the URL of a file has three slashes and no host: sqlite:///FILE")
    if not url.database or url.database == ":memory:":
        raise UnknownURL(
            "sqlite:// names no file: expected sqlite:///FILE, because a database in memory is "
            "gone when its session ends"
        )
    if url.query:
        raise UnknownURL(
            f"sqlite:///{url.database} is given {_names(url.query)}, and a file takes no options: "
            "write sqlite:///FILE alone"
        )
    return url.set(drivername="sqlite")


def _of_server(url: URL, written: str | None) -> URL:
    if importlib.util.find_spec("psycopg") is None:
        raise DatabaseError(
            "PostgreSQL needs the package psycopg: pip install 'llm-arena[postgres]'"
        )
    if written is None:
        torn = _whole(url.host) != url.host or _name(url) != url.database
    else:
        name = _NAME.match(written)
        torn = any(_TORN.search(part or "") for part in (url.host, name and name[1]))
    if torn:
        raise UnknownURL(
            "the PostgreSQL URL has an @ or a space in its host or name, so that a part of the "
            "password may be read as one: write them %40 and %20 there, or give the password in "
            "the variable PGPASSWORD"
        )
    url = url.set(drivername=_DRIVER)
    import psycopg

    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    unknown = [name for name in url.query if name not in known]
    if unknown:
        raise UnknownURL(
            f"{shown(url)} is given {_names(unknown)}, which PostgreSQL's driver does not know; "
            "options are those of libpq, as in ?sslmode=require"
        )
    return url


def _names(query: Iterable[str]) -> str:
    # The name of an option that has no value may be a password that was torn apart.
    names = [name for name in query if re.fullmatch(r"[a-z_]{1,30}", name)]
    return f"the options {', '.join(names)}" if names else "options"


def shown(url: URL) -> str:
    """A URL as people may see it: a file as its path, a server without its password and without
    what else its query holds beyond its place."""
    if url.drivername == "sqlite":
        return str(url.database)
    kept = {
        name: value
        for name, value in url.query.items()
        if name in _PLACES and not any(_TORN.search(one) for one in _all(value))
    }
    name = _name(url)
    url = url._replace(host=_whole(url.host), database=None, query=type(url.query)(kept))
    place, asked, query = url.render_as_string(hide_password=True).partition("?")
    # As it can be typed: SQLAlchemy leaves the spaces of a name as they are.
    path = "" if name is None else f"/{quote(name, safe='')}"
    return f"{place}{path}{asked}{query}"


def typed(db: str | None) -> str | None:
    """What was typed for a database, to be shown in a command to type again: without its password,
    which whoever types it fills in."""
    if db is None or "://" not in db:
        return db
    url = resolve_url(db)
    return db if not [*_secrets(url)] else shown(url)


def without_secrets(url: URL, text: str) -> str:
    """What a driver says, without the password and the other secrets of a URL."""
    for secret in sorted(_secrets(url), key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            if len(form) >= _SHORTEST:
                text = text.replace(form, HIDDEN)
    return text


def _secrets(url: URL) -> Iterator[str]:
    if url.password:
        yield str(url.password)
    for name, value in url.query.items():
        if name not in _PLACES:
            yield from _all(value)


def _all(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _name(url: URL) -> str | None:
    """The name of a database, unless nobody has looked yet whether it is a piece of a password."""
    return url.database if url.drivername == _DRIVER else _whole(url.database)


def _whole(part: str | None) -> str | None:
    """A part of a URL, unless it may be the end of a password that holds an @."""
    return None if part is None or _TORN.search(part) else part
