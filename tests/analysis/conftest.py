"""The filled database, on SQLite and on a real PostgreSQL."""

import os

import filled
import pytest
from sqlalchemy import event


@pytest.fixture(scope="session", autouse=True)
def _without_a_screen(tmp_path_factory):
    """Plots are drawn in memory, and matplotlib's caches stay out of the home folder."""
    folder = tmp_path_factory.mktemp("matplotlib")
    before = {name: os.environ.get(name) for name in ("MPLBACKEND", "MPLCONFIGDIR")}
    os.environ.update(MPLBACKEND="agg", MPLCONFIGDIR=str(folder))
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory):
    """The URL of a filled SQLite database."""
    url = f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'filled.db'}"
    filled.fill(url)
    return url


@pytest.fixture(scope="session")
def filled_postgresql(fresh_postgresql):
    """The URL of a filled PostgreSQL database, on the server that the tests share."""
    with fresh_postgresql("template0") as url:
        filled.fill(url)
        yield url


@pytest.fixture(params=["sqlite", "filled_postgresql"], ids=["sqlite", "postgresql"])
def database(request):
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def empty(tmp_path):
    """The path of a database that holds tables and nothing else."""
    from db import init_db

    path = tmp_path / "empty.db"
    init_db(path)
    return path


@pytest.fixture
def spy():
    """Collects (sql, parameters) of everything that a session's connection executes."""

    def on(session):
        statements = []

        @event.listens_for(session.connection(), "before_cursor_execute")
        def _seen(_connection, _cursor, statement, parameters, _context, _many):
            statements.append((statement, parameters))

        return statements

    return on
