"""A run that is followed: what happened to its games, what it logged, what was counted, and when it
is abandoned; on both databases."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from arena.analysis import game_states_df, logs_df, metrics_df
from arena.core import UsageError
from arena.core.log_scope import about, said_of
from arena.record.run_log import LONGEST, RunLogHandler, run_logged
from arena.reports.tournament import idleness
from db import DatabaseError, Recorder, Repository, get_session
from db.queries.execution_logs import execution_logs
from db.queries.game_states import game_states
from db.queries.metrics import metrics
from db.queries.tournaments import active_at
from db.selection import Selection
from db.writer.game_states import GamePaused, GameResumed
from db.writer.games import GameFinished, GameStarted, GameVoided, PlayerFinished
from tests.db.tournaments import tournament

NOON = datetime(2031, 1, 1, 12, tzinfo=UTC)


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def finished(game: int, minutes: int) -> GameFinished:
    players = [PlayerFinished(place, None, str(place), place, 0.0) for place in (0, 1)]
    return GameFinished(game, after(minutes), "0", "natural", "it won", 3, players)


async def play(database_url: str, first: int, second: int) -> None:
    async with Recorder(database_url) as recorder, run_logged(1, recorder):
        log = logging.getLogger("arena.mine")
        await recorder.append(GameStarted(first, after(0)))
        recorder.post(GamePaused(first, after(1), "the budget is spent"))
        recorder.post(GamePaused(first, after(1), "the budget is spent"))
        recorder.post(GameResumed(first, after(2), "played on from its record"))
        await recorder.append(finished(first, 3))
        await recorder.append(GameStarted(second, after(4)))
        await recorder.append(GameVoided(second, after(5), "provider", "no answer"))
        with about(game_id=first):
            log.info("in the game")
        log.warning("a lapse", extra=said_of(game_id=second, agent_id=1))
        with about(tournament_id=99):
            log.error("of another run")


def test_a_run_is_followed(database_url: str) -> None:
    first, second = tournament(database_url)[:2]
    asyncio.run(play(database_url, first, second))

    with get_session(database_url) as session:
        states = [(s.before, s.status, s.reason, s.actor) for s in game_states(session, first)]
        assert states == [
            (None, "scheduled", None, None),
            ("scheduled", "running", None, "hand"),
            ("running", "paused", "the budget is spent", "hand"),
            ("paused", "running", "played on from its record", "hand"),
            ("running", "completed", "natural", "hand"),
        ]
        assert [s.at for s in game_states(session, first)][1:] == [
            after(minute) for minute in (0, 1, 2, 3)
        ]
        assert game_states(session, second)[-1].reason == "provider"
        said = [(r.level, r.game_id, r.message) for r in execution_logs(session, limit=9)]
        assert said == [("warning", second, "a lapse"), ("info", first, "in the game")]
        (line,) = execution_logs(session, Selection(agent="1"), level="warning", limit=9)
        assert line.message == "a lapse"
        rows = metrics(session, names=("seats", "void_seats")).rows
        for name in ("seats", "void_seats"):
            assert sum(row.value for row in rows if row.name == name) == 2.0
    frame = game_states_df(database_url, game=first)
    assert [*frame.before] == ["scheduled", "running", "paused", "running"]
    assert [*logs_df(database_url, level="warning").message] == ["a lapse"]
    assert [*logs_df(database_url, game=first).message] == ["in the game"]
    assert metrics_df(database_url, name="seats").value.sum() == 2.0
    with pytest.raises(UsageError, match="unknown level 'loud'"):
        logs_df(database_url, level="loud")
    with pytest.raises(UsageError, match="did you mean 'cost'"):
        metrics_df(database_url, name="costs")


@pytest.mark.parametrize("status", ["scheduled", "running", "void"])
def test_a_game_that_has_ended_keeps_its_status(database_url: str, status: str) -> None:
    game = tournament(database_url)[0]
    with get_session(database_url) as session:
        repo = Repository(session)
        repo.finish_game(game)
        with pytest.raises(DatabaseError, match=f"game {game} is completed and cannot become"):
            repo.finish_game(game, status)
        session.commit()
        with pytest.raises(DBAPIError, match="a game that has ended keeps its status"):
            session.connection().execute(
                text("UPDATE games SET status = :status WHERE id = :id"),
                {"status": status, "id": game},
            )
        session.rollback()


def test_a_history_is_only_added_to_and_goes_with_its_game(database_url: str) -> None:
    game = tournament(database_url)[0]
    with get_session(database_url) as session:
        Repository(session).finish_game(game, "void")
    for statement, said in (
        ("UPDATE game_states SET status = 'running'", "only added to"),
        ("DELETE FROM game_states", "only added to"),
        (
            "INSERT INTO game_states (game_id, status, actor, at) "
            f"VALUES ({game}, 'paused', 'hand', '2031-01-01 12:00:00.000000')",
            "only a game that is being played is paused",
        ),
        (
            "INSERT INTO game_states (game_id, status, actor, at) "
            f"VALUES ({game}, 'lost', 'hand', '2031-01-01 12:00:00.000000')",
            "ck_game_states_status",
        ),
    ):
        with get_session(database_url) as session:
            with pytest.raises(DBAPIError, match=said):
                session.connection().execute(text(statement))
            session.rollback()
    with get_session(database_url) as session:
        session.connection().execute(text(f"DELETE FROM games WHERE id = {game}"))
        left = session.connection().execute(text("SELECT COUNT(*) FROM game_states"))
        assert left.scalar_one() == 0


def test_a_log_drops_what_is_too_much_and_says_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-abcdefgh12345678")
    handler, lines = RunLogHandler(1, most=2), []
    log = logging.getLogger("arena.flooded")
    log.addHandler(handler)
    try:
        with about(tournament_id=1):
            log.warning("the key is sk-abcdefgh12345678")
            log.warning("%d" + "x" * 2 * LONGEST, 1)
            for _ in range(3):
                log.warning("too much")
    finally:
        log.removeHandler(handler)
    handler.flush_into(SimpleNamespace(post=lambda *records: lines.extend(records)))
    assert lines[0].message == "the key is [secret]"
    assert len(lines[1].message) == LONGEST
    assert lines[2].message.startswith("3 lines were dropped")
    assert len(lines) == 3


def test_a_tournament_is_idle_and_then_abandoned(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        heard = active_at(session, 1)
        assert active_at(session, 99) is None
    assert heard is not None
    assert idleness(heard, heard + timedelta(minutes=59)) is None
    assert idleness(heard, heard + timedelta(days=29)) == "idle"
    assert idleness(heard, heard + timedelta(days=30)) == "abandoned"
    assert idleness(heard, heard + timedelta(days=8), timedelta(days=7)) == "abandoned"
