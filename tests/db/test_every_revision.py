"""Every revision goes up and down with rows in every table, from each revision to the newest; one
that is added is walked like the others, without a word here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
import sqlalchemy as sa

from db import get_engine, schema
from tests.db.grown import Snapshot, grow, lost, made_of, snapshot, triggers
from tests.selecting import sampled

pytestmark = pytest.mark.slow

REVISIONS = sorted(
    file.name.partition("_")[0]
    for file in (schema.migrations_path() / "versions").glob("[0-9]*.py")
)
# Where a short walk stops: at the first, the newest, which are changed most, and some between.
SOME = sorted({*REVISIONS[::8], *REVISIONS[-3:]})
# Columns that take over, on the way down, what stands in a column that goes.
MOVED = {"0027": (("counters", "silences"), ("game_players", "silences"))}
# Tables of which a downgrade below that revision takes rows away that would mean something else.
REMOVED = {"0030": "requests"}

# Tables of which a downgrade below that revision has to be empty: it refuses what it would lose.
EMPTIED = {"0034": "archived_games"}


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    engine = get_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def seen(connection: sa.Connection) -> Snapshot:
    """Every row; none of them names one that is not there."""
    if connection.dialect.name == "sqlite":
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    return snapshot(connection)


@pytest.fixture
def newest(request: pytest.FixtureRequest, empty_database_url: str) -> dict[str, object]:
    """What the tables of the newest revision are made of, where they were made at once."""
    kind = empty_database_url.partition(":")[0]
    with (
        opened(request.getfixturevalue(f"{kind}_url")) as engine,
        engine.connect() as connection,
    ):
        return made_of(connection)


def down(engine: sa.Engine, revision: str, above: str) -> None:
    """Down from the revision `above`, with the tables empty that have to be."""
    for number, table in EMPTIED.items():
        if revision < number <= above:
            with engine.begin() as connection:
                connection.execute(sa.text(f"DELETE FROM {table}"))
    schema.downgrade(engine, revision)


def walk(url: str, newest: dict[str, object], stops: list[str]) -> None:
    """Up to each of the revisions in turn, where rows are added to every table, and down again."""
    brought: dict[str, Snapshot] = {}
    before = Snapshot(sa.MetaData(), {})
    with opened(url) as engine:
        for revision in stops:
            schema.upgrade(engine, revision)
            with engine.begin() as connection:
                after = seen(connection)
                assert lost(connection, before, after) == [], f"on the way up to {revision}"
                brought[revision] = after.without(before)
                grow(connection)
                before = seen(connection)
        with engine.connect() as connection:
            assert made_of(connection) == newest
        assert all(len(rows) >= 2 for rows in before.rows.values())

        for revision, above in reversed(list(pairwise(stops))):
            down(engine, revision, above)
            with engine.connect() as connection:
                after = seen(connection)
                mine = before.without(brought[above])
                moved = [
                    column
                    for number, columns in MOVED.items()
                    for column in columns
                    if revision < number <= above
                ]
                removed = {table for number, table in REMOVED.items() if revision < number <= above}
                missing = lost(connection, mine, after, moved)
                kept = [row for row in missing if row.partition(":")[0] not in removed]
                assert kept == [], f"on the way down to {revision}"
            before = after
        schema.downgrade(engine, "base")
        with engine.connect() as connection:
            assert sa.inspect(connection).get_table_names() == ["alembic_version"]
            assert triggers(connection) == {}


def test_up_and_down_with_rows(empty_database_url: str, newest: dict[str, object]) -> None:
    walk(empty_database_url, newest, SOME)


@pytest.mark.sweep
def test_up_and_down_with_rows_of_every_revision(
    empty_database_url: str, newest: dict[str, object]
) -> None:
    walk(empty_database_url, newest, REVISIONS)


@pytest.mark.parametrize("revision", sampled(REVISIONS[:-1], one_in=24))
def test_from_each_revision_to_the_newest_and_back(
    revision: str, empty_database_url: str, newest: dict[str, object]
) -> None:
    with opened(empty_database_url) as engine:
        schema.upgrade(engine, revision)
        with engine.begin() as connection:
            grow(connection)
            before, tables = seen(connection), made_of(connection)

        schema.upgrade(engine)
        with engine.begin() as connection:
            above = seen(connection)
            assert lost(connection, before, above) == []
            assert made_of(connection) == newest
            grow(connection)

        down(engine, revision, REVISIONS[-1])
        with engine.connect() as connection:
            back = seen(connection)
            # What a later revision dropped comes back empty, or counted anew.
            assert lost(connection, before.of(above), back) == []
            assert made_of(connection) == tables
