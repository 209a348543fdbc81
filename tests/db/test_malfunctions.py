"""Malfunctions of programs go when the revision that knows them does, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from db import get_engine, schema
from tests.db.tournaments import tournament
from tests.db.writer.test_counters import CLEAN, SILENT, finished, write


def test_malfunctions_go_down_as_silences(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(database_url, finished(first, CLEAN, replace(SILENT, silences=1, malfunctions=2)))
    engine = get_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE games SET termination = 'malfunction'"))

    schema.downgrade(engine, "0022")
    with engine.begin() as connection:
        found = connection.execute(text("SELECT MAX(silences) FROM game_players"))
        assert found.scalar() == 3
        found = connection.execute(text("SELECT DISTINCT termination FROM games"))
        assert [*found.scalars()] == ["silence"]
    schema.upgrade(engine)

    assert schema.differences(engine) == []
    engine.dispose()
