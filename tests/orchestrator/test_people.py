"""People hold seats: their games wait, go on by replay, and come out as if nothing had waited."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.core import ConfigError
from arena.orchestrator import Summary, run
from arena.orchestrator.catalogue import enter
from arena.orchestrator.people import SeatedPeople
from arena.orchestrator.preflight import prepare
from arena.orchestrator.stopping import Stop
from arena.replay.check import check
from db import Database, Repository, Session, get_session
from db.errors import BadAnswer, DatabaseError
from db.queries.requests import RequestRow, observed, request_rows
from db.queries.schedule import ScheduledGame, open_games

T = TypeVar("T")

EVENING = """
name: evening
seed: 3
environment: {name: TicTacToe-v0, players: 2}
games: 2
concurrency: 2
executor: EXECUTOR
agents:
  - {name: Ann, kind: human}
  - {name: Bob, kind: human, options: {person: Robert}}
"""

HASTY = "human, options: {time_limit: 0.2}}"

RECORD = (
    "SELECT schedule_index, attempt, status, winning_team, termination, reason, turn_count "
    "FROM games ORDER BY 1, 2",
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.invalid, t.lapse "
    "FROM game_turns t JOIN games g ON g.id = t.game_id ORDER BY 1, 2",
    "SELECT g.schedule_index, t.turn_number, c.call_index, c.call_number, c.attempt, "
    "c.request_hash, c.error_class FROM llm_calls c JOIN game_turns t ON t.id = c.game_turn_id "
    "JOIN games g ON g.id = t.game_id ORDER BY 1, 2, 3",
    "SELECT agent_id, mu, sigma, games FROM agent_trueskill ORDER BY pool_id, agent_id",
)


def evening(executor: str = "local", **changes: Any) -> TournamentConfig:
    return loads(EVENING.replace("EXECUTOR", executor)).model_copy(update=changes)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def record(url: str) -> list[list[tuple[Any, ...]]]:
    return [rows(url, query) for query in RECORD]


def waiting(url: str) -> list[RequestRow]:
    with get_session(url) as session:
        return request_rows(session)


def first_cell(seen: str) -> str:
    """The first free cell of the last board that was shown."""
    board = seen.rpartition("Available Moves:")[2]
    return board.partition("'")[2].partition("'")[0]


def answer_all(url: str) -> int:
    """Every request is answered by its person; how many there were."""
    with get_session(url) as session:
        asked = request_rows(session)
        for row in asked:
            assert row.game_id is not None
            assert row.turn is not None
            assert row.person is not None
            move = first_cell(observed(session, row.game_id, row.turn))
            Repository(session).answer_request(row.id, move, row.person)
    return len(asked)


def play_out(url: str, executor: str = "local") -> list[Summary]:
    """A run that stops for the people, another after they have answered, and one that waits for
    them to the end."""
    runs = [asyncio.run(run(evening(executor), url=url))]
    answer_all(url)
    runs.append(asyncio.run(run(evening(executor), url=url)))
    runs.append(asyncio.run(together(url, executor)))
    return runs


async def together(url: str, executor: str = "local") -> Summary:
    """A run that waits for people, who answer meanwhile."""
    playing = asyncio.create_task(run(evening(executor), url=url, wait=True))
    while not playing.done():
        await asyncio.sleep(0.05)
        await asyncio.to_thread(_answer_if_there, url)
    return await playing


def _answer_if_there(url: str) -> None:
    # The tables may not be made yet, and the run may be writing.
    with suppress(DatabaseError):
        answer_all(url)


@pytest.mark.slow
def test_games_wait_across_runs_and_come_out_as_in_one_that_waits(
    database_url: str, tmp_path: Path
) -> None:
    one = f"sqlite:///{tmp_path}/one.db"
    runs = play_out(database_url)
    whole = asyncio.run(together(one))

    assert [each.suspended for each in runs] == [2, 2, 0]
    assert [each.games_left for each in runs] == [2, 2, 0]
    assert (whole.games_completed, whole.suspended, whole.resumed) == (2, 0, 0)
    assert record(database_url) == record(one)
    for (game,) in rows(database_url, "SELECT id FROM games"):
        assert check(game, database_url).ok
    names = rows(database_url, "SELECT DISTINCT person, answered_by FROM requests ORDER BY 1")
    assert names == [("Ann", "Ann"), ("Robert", "Robert")]
    assert rows(database_url, "SELECT COUNT(*) FROM requests WHERE answered_at IS NULL") == [(0,)]


@pytest.mark.slow
def test_worker_processes_play_the_same(database_url: str, tmp_path: Path) -> None:
    here = f"sqlite:///{tmp_path}/here.db"
    play_out(database_url, "processes")
    asyncio.run(together(here))
    assert record(database_url) == record(here)


def test_the_first_answer_counts_and_a_late_one_is_told(sqlite_url: str) -> None:
    asyncio.run(run(evening(), url=sqlite_url))
    request = waiting(sqlite_url)[0]
    with get_session(sqlite_url) as session:
        Repository(session).answer_request(request.id, "[4]", "Ann")
    with (
        get_session(sqlite_url) as session,
        pytest.raises(BadAnswer, match="was answered already, by Ann: the first answer counts"),
    ):
        Repository(session).answer_request(request.id, "[0]", "Ann")
    asyncio.run(run(evening(), url=sqlite_url))

    turn = f"game_id = {request.game_id} AND turn_number = {request.turn}"
    assert rows(sqlite_url, f"SELECT action FROM game_turns WHERE {turn}") == [("[4]",)]


def test_a_person_that_lets_its_time_pass_lapses_and_the_game_goes_on(sqlite_url: str) -> None:
    hasty = EVENING.replace("human}", HASTY).replace("Robert}", "Robert, time_limit: 0.2}")
    config = loads(hasty.replace("EXECUTOR", "local").replace("games: 2", "games: 1"))
    summary = asyncio.run(run(config, url=sqlite_url, wait=True))

    assert (summary.games_completed, summary.suspended) == (1, 0)
    assert summary.lapses["time_limit"] == 2  # the second in a row loses
    (lapsed,) = rows(sqlite_url, "SELECT COUNT(*) FROM requests WHERE lapsed AND response IS NULL")
    assert lapsed == (2,)
    assert check(1, sqlite_url).ok
    with get_session(sqlite_url) as session, pytest.raises(BadAnswer, match="time for request 1"):
        Repository(session).answer_request(1, "[0]", "Ann")


class SlowToLook(Database):
    """One in which the first look for answers takes until another one has ended."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.looking, self.seen = threading.Event(), threading.Event()

    def reconnecting(self, work: Callable[[Session], T], **how: Any) -> T:
        first = not self.looking.is_set()
        self.looking.set()
        found = super().reconnecting(work, **how)
        assert not first or self.seen.wait(30)
        return found


@pytest.mark.parametrize("answered", [1, 2])
def test_a_run_goes_on_with_an_answer_that_it_finds_while_it_looks_for_one(
    sqlite_url: str, answered: int
) -> None:
    asyncio.run(run(evening(), url=sqlite_url))
    went_on: list[ScheduledGame] = []

    async def both(database: SlowToLook) -> bool:
        with database.session() as session:
            entry = enter(session, prepare(evening()))
            games = open_games(session, entry.tournament_id)
        people = SeatedPeople(entry, database, Stop(), went_on.extend, wait=True)
        database.looking.set()
        for game in games:
            assert await people.suspended(game, 1)
        database.looking.clear()
        for request in waiting(sqlite_url)[:answered]:
            with database.session() as session:
                Repository(session).answer_request(request.id, "[4]", str(request.person))
        asks = asyncio.create_task(people.one_goes_on())
        await asyncio.to_thread(database.looking.wait)
        await people.look()
        database.seen.set()
        assert people.waiting == 2 - answered
        return await asyncio.wait_for(asks, 30)

    with SlowToLook(sqlite_url) as database:
        assert asyncio.run(both(database))
    assert len(went_on) == answered


def test_a_person_needs_no_model_and_takes_no_other_options() -> None:
    config = evening()
    assert [(agent.model, agent.prompt) for agent in config.agents[:2]] == [
        ("person", "person")
    ] * 2
    assert [agent.options["person"] for agent in config.agents[:2]] == ["Ann", "Robert"]

    with pytest.raises(ConfigError, match="the kind 'human' has no option 'tone'"):
        prepare(
            loads(EVENING.replace("EXECUTOR", "local").replace("person: R", "tone: r, person: R"))
        )
