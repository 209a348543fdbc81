"""Failed calls are listed, the newest first, from an index of their own."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from db import Repository, get_session
from db.errors import BadSelection
from db.queries.failed_calls import error_classes, failed_calls
from db.selection import Selection
from tests.db.tournaments import tournament

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture
def failing(database_url: str) -> str:
    """In games 1 to 3 a call failed twice, and was answered then but for the first game."""
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        for game in (1, 2, 3):
            turn = repo.add_game_turn(game, 4, 1, "You see.", None).id
            for attempt, name in enumerate(("Timeout", "RateLimitError", None)):
                if name is None and game == 1:
                    continue
                said = None if name is None else f"{name} \ud800 of {game}"
                call = repo.add_llm_call(
                    turn, "m", [], {}, None, NOW, error_class=name, error_message=said
                )
                call.call_number, call.attempt = 0, attempt
    return database_url


def test_every_failed_call_says_what_came_of_it(failing: str) -> None:
    with get_session(failing) as session:
        rows = failed_calls(session, limit=20).rows
        assert error_classes(session) == ["RateLimitError", "Timeout"]
    assert [(row.game_id, row.attempt, row.error_class) for row in rows] == [
        (3, 1, "RateLimitError"), (3, 0, "Timeout"),
        (2, 1, "RateLimitError"), (2, 0, "Timeout"),
        (1, 1, "RateLimitError"), (1, 0, "Timeout"),
    ]  # fmt: skip
    assert [(row.later, row.answered) for row in rows] == [
        (1, True), (2, True), (1, True), (2, True), (0, False), (1, False),
    ]  # fmt: skip
    assert rows[0].error_message == "RateLimitError \ud800 of 3"
    assert (rows[0].turn_number, rows[0].player_index, rows[0].tournament) == (4, 1, "cup")
    assert rows[0].agent == "agent-0"


def test_pages_and_filters(failing: str) -> None:
    with get_session(failing) as session:
        before, pages = None, []
        while True:
            page = failed_calls(session, limit=2, before=before)
            pages.append([row.call_id for row in page.rows])
            before = page.older
            if before is None:
                break
        assert [len(page) for page in pages] == [2, 2, 2]
        assert len({key for page in pages for key in page}) == 6
        late = failed_calls(session, failed=("Timeout",), limit=9).rows
        assert {row.error_class for row in late} == {"Timeout"}
        of_one = failed_calls(session, Selection(agent="agent-2"), limit=9).rows
        assert [row.game_id for row in of_one] == [2, 2]
        assert not failed_calls(session, Selection(agent="agent-0", game=2), limit=9).rows
        assert [row.game_id for row in failed_calls(session, Selection(game=1), limit=9).rows] == [
            1, 1,
        ]  # fmt: skip
        with pytest.raises(BadSelection, match="did you mean 'Timeout'"):
            failed_calls(session, failed=("Timeouts",), limit=9)


def test_looking_stops_and_says_so(failing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.queries.failed_calls._PAGE", 2)
    with get_session(failing) as session:
        page = failed_calls(session, Selection(agent="agent-1"), limit=9, most=2)
        assert (page.rows, page.looked_through) == ((), True)
        assert page.older is not None


def test_the_list_reads_no_call_that_was_answered(failing: str) -> None:
    with get_session(failing) as session:
        if session.get_bind().dialect.name != "sqlite":
            # A server plans by its statistics: that the index is there, and of failures alone.
            index = session.execute(
                text("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_llm_calls_error_class'")
            ).scalar_one()
            assert "WHERE (error_class IS NOT NULL)" in index
            return
        plan = session.execute(
            text(
                "EXPLAIN QUERY PLAN SELECT id FROM llm_calls WHERE error_class = 'Timeout' "
                "AND id >= 0 AND id < 99 ORDER BY id DESC LIMIT 5"
            )
        ).all()
    assert "ix_llm_calls_error_class" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
