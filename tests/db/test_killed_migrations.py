"""A migration that is killed leaves the old tables or the new ones, and is completed by a rerun."""

from __future__ import annotations

from pathlib import Path

import pytest

from db import get_engine, schema
from tests.db.grown import grow
from torture.migrations import run

KILLS = 3


@pytest.mark.slow
def test_a_killed_migration_leaves_no_half(database_url: str, tmp_path: Path) -> None:
    (figures,) = run(KILLS, 5, tmp_path, [database_url], games=10).values()
    assert figures.problems == []
    assert (figures.kills, figures.half, figures.rows_changed, figures.not_completed) == (
        KILLS,
        0,
        0,
        0,
    )
    assert figures.left_old + figures.left_new == KILLS
    assert figures.rows > 10 * 12 * 4
    engine = get_engine(database_url)
    assert schema.current(engine) == schema.HEAD
    assert schema.differences(engine) == []
    engine.dispose()


# Since the tables of 0020 grew by templates, trails and more, killed with rows in all of them.
@pytest.mark.slow
@pytest.mark.sweep
def test_a_killed_migration_of_the_newest_revisions_leaves_no_half(
    database_url: str, tmp_path: Path
) -> None:
    figures = run(4, 6, tmp_path, [database_url], games=2, old="0020", more=grown)

    (found,) = figures.values()
    assert found.problems == []
    assert (found.half, found.rows_changed, found.not_completed) == (0, 0, 0)
    assert found.left_old + found.left_new == 4


def grown(url: str) -> None:
    engine = get_engine(url)
    with engine.begin() as connection:
        grow(connection)
    engine.dispose()
