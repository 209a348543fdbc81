"""The tables do not go back to those that know of no files while transcripts are in files alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db import Database, DatabaseError, schema
from db.example import enter, play
from db.maintenance.migrate import migrate, rehearse
from db.maintenance.prune import bring_back, prune
from db.maintenance.retention import Retention
from db.queries.transcript import transcript
from db.transcripts.reading import FIRST_WITH_FILES

BELOW = f"{int(FIRST_WITH_FILES) - 1:04}"


@pytest.fixture
def archived(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """Two games, of which both transcripts are in a file."""
    enter(database_url)
    play(database_url)
    play(database_url)
    policy = Retention(transcripts=0, logs=None)
    with Database(database_url) as database:
        found = prune(database, policy, datetime(2100, 1, 1, tzinfo=UTC), folder=tmp_path / "away")
        assert found.games == 2
        yield database


def told(database: Database) -> list[str]:
    with database.session(create=False) as session:
        return [repr(transcript(session, game)) for game in (1, 2)]


def test_a_downgrade_that_would_lose_transcripts_is_refused_until_they_are_back(
    archived: Database, tmp_path: Path
) -> None:
    before, files = told(archived), sorted(tmp_path.iterdir())

    for asked in (
        lambda: migrate(archived, BELOW, down=True, backup=False),
        lambda: migrate(archived, BELOW, down=True),
        lambda: migrate(archived, "0001", down=True, backup=False),
        lambda: schema.downgrade(archived.engine, BELOW),
        lambda: rehearse(archived, BELOW, down=True),
    ):
        with pytest.raises(DatabaseError) as refused:
            asked()
        said = str(refused.value)
        if "holds rows" in said:
            continue
        assert f"before revision {FIRST_WITH_FILES}" in said
        assert "2 archived games are in files alone: type `arena db prune --undo`" in said
        assert schema.current(archived.engine) == schema.HEAD
    assert sorted(tmp_path.iterdir()) == files, "no copy was made for nothing"
    assert told(archived) == before

    migrate(archived, FIRST_WITH_FILES, down=True, backup=False)
    migrate(archived, "head", backup=False)
    assert bring_back(archived) == 2
    migrate(archived, BELOW, down=True, backup=False)
    migrate(archived, "head", backup=False)
    for file in (tmp_path / "away").glob("*.parquet"):
        file.unlink()
    assert told(archived) == before


def test_all_tables_may_be_dropped_as_their_games_go_too(archived: Database) -> None:
    migrate(archived, "base", down=True, backup=False)
    assert schema.current(archived.engine) is None
