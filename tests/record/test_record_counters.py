"""Counters are counted again, tournament by tournament, and compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from arena.record.counters import rebuild_counters
from db import Database, Repository
from db.queries.counters import agent_counts, behind
from db.selection import Selection
from db.writer.events import EventsTold
from tests.db.tournaments import tournament, void
from tests.db.writer.test_counters import CLEAN, SILENT, finished, write


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Two tournaments: one game finished in each, and a void one in the first."""
    first, second, *_ = tournament(database_url)
    third, *_ = tournament(database_url, name="bowl")
    write(database_url, finished(first, CLEAN, SILENT), void(second))
    write(database_url, finished(third, CLEAN, SILENT))
    with Database(database_url) as opened:
        yield opened


def execute(database: Database, statement: str) -> None:
    with database.session() as session:
        session.connection().execute(text(statement))


def test_an_old_database_is_counted_when_that_is_asked_for(database: Database) -> None:
    with database.session() as session:
        before = agent_counts(session)
    execute(database, "DELETE FROM counters")
    execute(database, "UPDATE tournaments SET counters_version = NULL")

    with database.session() as session:
        assert behind(session) == ["cup", "bowl"]
        assert agent_counts(session) == before, "counted from the games meanwhile"
    heard: list[int] = []
    for left, counted in rebuild_counters(database, on_games=heard.append):
        assert (left, counted.tournament, counted.games, heard) == (1, "cup", 2, [1, 2])
        break

    with database.session() as session:
        assert behind(session) == ["bowl"], "what was counted is kept"
        assert behind(session, Selection(tournament="cup")) == []
    assert [each.tournament for _, each in rebuild_counters(database)] == ["bowl"]
    with database.session() as session:
        assert behind(session) == []
        assert agent_counts(session) == before
    assert list(rebuild_counters(database)) == []
    assert len([*rebuild_counters(database, everything=True)]) == 2


def test_a_check_finds_what_is_not_so_and_changes_nothing(database: Database) -> None:
    execute(database, "UPDATE counters SET charged = 5 WHERE agent_id = 2 AND tournament_id = 1")

    for _ in range(2):
        found = {each.tournament: each for _, each in rebuild_counters(database, check=True)}
        assert [str(difference) for difference in found["cup"].differences] == [
            "agent 2: charged 5 stored, 0 from the games",
            "agent 2 (void): charged 5 stored, 0 from the games",
        ]
        assert found["bowl"].differences == ()


def test_a_game_that_is_ended_by_hand_leaves_the_counters_behind(database: Database) -> None:
    with database.session() as session:
        repo = Repository(session)
        game = repo.create_game(tournament_id=1, environment_id=1).id or 0
        repo.add_game_player(game, 1, 0)
        repo.finish_game(game)
    with database.session() as session:
        assert behind(session) == ["cup"]
        assert agent_counts(session)[1].games == 3


def test_events_that_are_replaced_leave_the_counters_behind(database: Database) -> None:
    with database.session() as session:
        assert behind(session) == []
        (game, *_) = Repository(session).get_games(status="completed", tournament_id=1)
        assert Repository(session).replace_events(EventsTold(game.id or 0, 1))
    with database.session() as session:
        assert behind(session) == ["cup"]
