"""A migration that is killed leaves the old tables or the new ones, and is completed by a rerun."""

from __future__ import annotations

from pathlib import Path

import pytest

from db import get_engine, schema
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
