"""A place of the schedule is never lost: a void game's next attempt comes with its end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

import db
from db import Game, Recorder, Repository, Tournament, get_session
from db.errors import WriteFailed
from db.writer.subject import Record
from tests.db.tournaments import FOLD, tournament, void, won


def write(url: str, *records: Record) -> None:
    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            await asyncio.gather(*(recorder.append(record) for record in records))

    asyncio.run(main())


def attempts(session: Session, index: int = 0) -> list[tuple[int, str]]:
    query = select(Game).where(Game.schedule_index == index).order_by(col(Game.attempt))
    return [(game.attempt, game.status) for game in session.exec(query)]


def test_the_next_attempt_has_the_same_players_and_seed(database_url: str) -> None:
    first, *_ = tournament(database_url)
    write(database_url, void(first, final=False))
    with get_session(database_url) as session:
        repo = Repository(session)
        old, new = repo.get_attempt(1, 0, 0), repo.get_attempt(1, 0, 1)
        assert old is not None
        assert new is not None
        assert (old.id, old.status, old.final) == (first, "void", False)
        assert (new.status, new.seed, new.block, new.final) == ("scheduled", old.seed, 0, False)
        assert new.environment_id == old.environment_id
        assert new.started_at is new.turn_count is None
        seats = [
            [(player.player_index, player.agent_id) for player in g.players] for g in (old, new)
        ]
        assert seats[0] == seats[1] == [(0, 1), (1, 2)]
        assert repo.get_attempt(1, 0, 2) is None
        # Asking for what is there already gives it.
        assert repo.retry_game(first).id == new.id
    write(database_url, won(new.id or 0))
    with get_session(database_url) as session:
        assert session.get_one(Tournament, 1).next_fold_index == 1


def test_an_attempt_is_scheduled_once(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    end = void(first, final=False)
    write(database_url, end, end, void(second, final=False))
    write(database_url, end)
    with get_session(database_url) as session:
        assert attempts(session) == [(0, "void"), (1, "scheduled")]
        assert attempts(session, 1) == [(0, "void"), (1, "scheduled")]
        following = Repository(session).get_attempt(1, 0, 1)
        assert following is not None
        assert len(following.players) == 2
    write(database_url, void(following.id or 0))
    # The record of the first end, written again, brings nothing back.
    write(database_url, end)
    with get_session(database_url) as session:
        assert attempts(session) == [(0, "void"), (1, "void")]


def test_what_is_given_up_is_not_tried_again(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    write(database_url, void(first), won(second))
    write(database_url, void(first, final=False))
    with get_session(database_url) as session:
        assert attempts(session) == [(0, "void")]
    with pytest.raises(WriteFailed, match="completed"):
        write(database_url, void(second, final=False))
    with get_session(database_url) as session:
        assert attempts(session, 1) == [(0, "completed")]


def test_a_game_of_no_schedule_is_just_void(database_url: str) -> None:
    with get_session(database_url) as session:
        key = Repository(session).create_game().id or 0
    write(database_url, void(key, final=False))
    with get_session(database_url) as session:
        assert [game.status for game in session.exec(select(Game))] == ["void"]


KILLED = """
import asyncio, os, sys
from db import Recorder
from db.writer import games
from db.writer.connections import PostgreSQLConnection, SQLiteConnection
from tests.db.tournaments import void

def dying(execute, left):
    def run(self, statement, values=()):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return execute(self, statement, values)
    return run

async def main():
    async with Recorder(sys.argv[1]) as recorder:
        for kind in (SQLiteConnection, PostgreSQLConnection):
            kind.execute = dying(kind.execute, int(sys.argv[3]))
        await recorder.append(void(int(sys.argv[2]), final=False))

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_kill_between_an_end_and_the_next_attempt_leaves_neither(database_url: str) -> None:
    first, *_ = tournament(database_url)
    root = Path(db.__file__).parent.parent
    # Before the next attempt, and, once is enough, before its players.
    for statements in (1, 2) if "sqlite" in database_url else (1,):
        command = [sys.executable, "-c", KILLED, database_url, str(first), str(statements)]
        done = subprocess.run(command, cwd=root, capture_output=True, check=False, env=os.environ)
        assert done.returncode == -9, done.stderr
        with get_session(database_url) as session:
            assert attempts(session) == [(0, "scheduled")]
    write(database_url, void(first, final=False))
    with get_session(database_url) as session:
        assert attempts(session) == [(0, "void"), (1, "scheduled")]


def test_the_settings_of_the_last_run_are_kept(database_url: str) -> None:
    tournament(database_url)
    with get_session(database_url) as session:
        repo = Repository(session)
        assert session.get_one(Tournament, 1).settings is None
        repo.set_tournament_settings(1, {"concurrency": 8, "budget": {"usd": 1.5}})
        assert repo.set_tournament_settings(7, {}) is None
    with get_session(database_url) as session:
        row = session.get_one(Tournament, 1)
        assert row.settings == {"concurrency": 8, "budget": {"usd": 1.5}}
        assert row.config == {"games": 4}
        Repository(session).set_tournament_settings(1, None)
    with get_session(database_url) as session:
        assert session.get_one(Tournament, 1).settings is None
