"""What a run reads when it starts or resumes: of its own games, with and without statistics."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from db import Repository, get_session
from db.queries import schedule, spending
from db.queries.games import games
from db.queries.tournaments import tournaments
from db.selection import Selection
from tests.db.tournaments import tournament

GAMES = 100
TURNS = 60

# Two of the games were branched from; a branch has the turns of its own.
RECORD = (
    "UPDATE games SET status = 'completed', final = true WHERE tournament_id <= 2",
    "INSERT INTO games (environment_id, status, attempt, environment_crashed, final, created_at, "
    "parent_game_id, parent_turn) SELECT environment_id, 'completed', 0, false, true, created_at, "
    "id, 3 FROM games WHERE schedule_index < 2",
    "INSERT INTO game_players (game_id, agent_id, player_index, invalid_actions) "
    "SELECT b.id, p.agent_id, p.player_index, 0 FROM games b "
    "JOIN game_players p ON p.game_id = b.parent_game_id",
    "INSERT INTO game_turns (id, game_id, turn_number, player_index, invalid, observed_at) "
    "SELECT CAST(g.id AS BIGINT) * 16777216 + t.n * 256 + t.n % 2, g.id, t.n, t.n % 2, false, "
    "g.created_at FROM games g CROSS JOIN ("
    + " UNION ALL ".join(f"SELECT {number} AS n" for number in range(TURNS))
    + ") t",
    "INSERT INTO llm_calls (id, game_turn_id, call_index, call_number, attempt, model, charged) "
    "SELECT id * 256, id, 0, 0, 0, 'm', 0.5 FROM game_turns",
    "INSERT INTO game_events (game_id, seq, kind) SELECT t.game_id, t.turn_number, k.id "
    "FROM game_turns t JOIN event_types k ON k.name = 'vote'",
)


@pytest.fixture
def recorded(database_url: str) -> str:
    """Three tournaments of finished games; the last has games left to play."""
    for name in ("cup", "league", "open"):
        tournament(database_url, GAMES, name=name)
    with get_session(database_url) as session:
        for statement in RECORD:
            session.connection().execute(text(statement))
        session.connection().execute(text("UPDATE tournaments SET counters_version = NULL"))
    return database_url


def ask(session: Session) -> dict[str, Any]:
    """Everything that a start asks of the record of a tournament."""
    return {
        "seats": len([*schedule.scheduled_seats(session, 2)]),
        "open": len(schedule.open_games(session, 2)),
        "is open": (schedule.is_open(session, 2), schedule.is_open(session, 3)),
        "by status": {row.name: dict(row.by_status) for row in tournaments(session)},
        "settled": schedule.settled_places(session, 2),
        "spent": sum(spending.spent(session, 2).values()),
        "branches": sum(spending.spent_by_branches(session, 2).values()),
        "of no run": sum(spending.spent_by_no_run(session, 2).values()),
        "by seat": sum(seat.charged for seat in spending.spent_by_seat(session, 2, 10)),
        "dearest": spending.dearest_calls(session, 2),
        "of a run": spending.spent_by_run(session, 1),
        "seats of a run": spending.spent_by_branch_seat(session, 1),
    }


def plans(session: Session) -> list[str]:
    """How the database answers each statement of `ask`, a line for each step."""
    asked: list[tuple[str, Any]] = []
    connection = session.connection()

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        asked.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    ask(session)
    event.remove(connection, "before_cursor_execute", note)
    assert len(asked) > 20
    sqlite = connection.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
    return [
        str(row[-1])
        for statement, values in asked
        for row in connection.exec_driver_sql(f"{explain} {statement}", values)
    ]


def all_read(plan: list[str]) -> list[str]:
    """The steps that read a whole table of the record."""
    # Without an index `g` and `p` are what a statement has found already.
    aliases = "(c|g|b|p|e|t|game_players|game_turns|game_events|llm_calls)"
    server = "Seq Scan on (llm_calls|game_turns|game_events)"
    scan = re.compile(rf"SCAN {aliases} USING|SCAN (c|b|e|t)$|SCAN games\b|{server}\b")
    return [step for step in plan if scan.search(step)]


def test_a_list_is_read_from_any_game_on(recorded: str) -> None:
    """A page of a tournament's games costs the same wherever it begins: nothing is sorted, counted
    or passed over."""
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        asked.append((statement, values))

    with get_session(recorded) as session:
        connection = session.connection()
        connection.exec_driver_sql("ANALYZE")
        cup = Selection(tournament="cup")
        pages = [games(session, cup, limit=5), games(session, cup, limit=5, before=40)]
        event.listen(connection, "before_cursor_execute", note)
        games(session, cup, limit=5, before=40)
        event.remove(connection, "before_cursor_execute", note)
        statement, values = next(each for each in asked if "LIMIT" in each[0].upper())
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", values).all())

    assert [[game.game_id for game in page] for page in pages] == [
        [100, 99, 98, 97, 96],
        [39, 38, 37, 36, 35],
    ]
    assert "ix_games_tournament_id" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("counted", [True, False])
def test_a_start_reads_no_call_of_another_tournament(recorded: str, counted: bool) -> None:
    """Of games that have ended it reads the counters; where these are behind, the calls."""
    with get_session(recorded) as session:
        if counted:
            assert Repository(session).recount(2) == GAMES
    with get_session(recorded) as session:
        found = ask(session)
        fresh = all_read(plans(session))
        session.connection().exec_driver_sql("ANALYZE")
    with get_session(recorded) as session:
        analysed = all_read(plans(session))
        assert session.connection().execute(text("SELECT COUNT(*) FROM llm_calls")).scalar() == (
            TURNS * (3 * GAMES + 6)
        )

    assert (fresh, analysed) == ([], [])
    assert found == {
        "seats": 2 * GAMES,
        "open": 0,
        "is open": (False, True),
        "by status": {
            "cup": {"completed": GAMES},
            "league": {"completed": GAMES},
            "open": {"scheduled": GAMES},
        },
        "settled": {"completed": GAMES},
        "spent": 0.5 * TURNS * GAMES,
        "branches": 0.5 * TURNS * 2,
        "of no run": 0.5 * TURNS * 2,
        "by seat": 0.5 * TURNS * 10,
        "dearest": {f"model-{index}": 0.0 for index in range(3)},
        "of a run": {},
        "seats of a run": [],
    }
