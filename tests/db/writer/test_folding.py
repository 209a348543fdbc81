"""Ratings are folded in schedule order, once, and equal a rebuild from the games to the bit."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

import db
from arena.leaderboard.rebuild import rebuild
from db import (
    AgentTrueSkill,
    Game,
    RatingChange,
    RatingPool,
    Recorder,
    Repository,
    Tournament,
    get_session,
)
from db.errors import WriteFailed
from db.fold import numbered
from db.urls import resolve_url
from db.writer.connections import PostgreSQLConnection, open_writer
from db.writer.games import GameFinished, GameVoided
from tests.db.tournaments import FOLD, Pairing, tournament, void, won

Ends = list[GameFinished | GameVoided]


def end(url: str, ends: Ends, *, together: bool = False) -> None:
    async def main() -> None:
        async with Recorder(url, FOLD) as recorder:
            if together:
                await asyncio.gather(*(recorder.append(record) for record in ends))
            for record in [] if together else ends:
                await recorder.append(record)

    asyncio.run(main())


def ratings(session: Session) -> dict[tuple[int | None, int], tuple[Any, ...]]:
    """(tournament or None, agent) -> the stored row."""
    rows = session.exec(
        select(RatingPool, AgentTrueSkill).join(
            AgentTrueSkill, col(AgentTrueSkill.pool_id) == RatingPool.id
        )
    )
    return {
        (pool.tournament_id, row.agent_id): (
            row.mu,
            row.sigma,
            row.games,
            row.wins,
            row.draws,
            row.losses,
            pool.games,
            pool.draws,
        )
        for pool, row in rows
    }


def folded(session: Session) -> list[int]:
    """The games that have moved ratings, in that order."""
    query = select(Game.id).where(col(Game.fold_index).is_not(None)).order_by(col(Game.fold_index))
    return [key for key in session.exec(query) if key is not None]


def test_a_finished_game_waits_for_its_predecessors(database_url: str) -> None:
    first, second, third, fourth = tournament(database_url)
    end(database_url, [won(third), won(second, 1)])
    with get_session(database_url) as session:
        assert folded(session) == []
        assert ratings(session) == {}
    end(database_url, [won(first)])
    with get_session(database_url) as session:
        assert folded(session) == [first, second, third]
        assert session.exec(select(Tournament.next_fold_index)).one() == 3
    end(database_url, [won(fourth, -1)])
    with get_session(database_url) as session:
        assert folded(session) == [first, second, third, fourth]
        stored = ratings(session)
        # agent 0 won game 1, lost game 3 and drew game 4; a pool for the rules, one for the cup
        assert stored[None, 1][2:] == (3, 1, 1, 1, 4, 1)
        assert stored[1, 1] == stored[None, 1]


def test_whatever_order_games_finish_in_the_ratings_are_the_same(database_url: str) -> None:
    games = tournament(database_url, games=5, name="straight")
    ends: list[Any] = [won(key, index % 3 - 1) for index, key in enumerate(games)]
    end(database_url, ends)
    with get_session(database_url) as session:
        expected = [row for (pool, _), row in sorted(_known(session).items()) if pool == 1]
    orders = list(itertools.permutations(range(5)))
    random.Random(3).shuffle(orders)
    for number, order in enumerate(orders[:3]):
        again = tournament(database_url, games=5, name=f"shuffled {number}")
        ends = [won(again[place], place % 3 - 1) for place in order]
        end(database_url, ends, together=number % 2 == 1)
        with get_session(database_url) as session:
            cup = number + 2
            assert [
                r for (pool, _), r in sorted(_known(session).items()) if pool == cup
            ] == expected
        assert rebuild(database_url, check=True).differences == ()


def _known(session: Session) -> dict[tuple[int, int], tuple[Any, ...]]:
    return {(pool, agent): row for (pool, agent), row in ratings(session).items() if pool}


def test_a_game_is_rated_once(database_url: str) -> None:
    first, *_ = tournament(database_url)
    end(database_url, [won(first)])
    with get_session(database_url) as session:
        before = ratings(session)
    end(database_url, [won(first), won(first, 1)], together=True)
    with get_session(database_url) as session:
        assert ratings(session) == before
        assert len(session.exec(select(RatingChange)).all()) == 4
        row = session.get_one(Game, first)
        assert [player.rank for player in row.players] == [0, 1]


def test_a_void_game_is_passed_over_when_it_is_final(database_url: str) -> None:
    first, second, third, _ = tournament(database_url)
    end(database_url, [won(second), void(first, final=False)])
    with get_session(database_url) as session:
        assert folded(session) == []
        retry = Repository(session).retry_game(first)
        assert [player.agent_id for player in retry.players] == [1, 2]
        retried = retry.id or 0
    end(database_url, [won(retried, 1)])
    with get_session(database_url) as session:
        assert folded(session) == [retried, second]
    end(database_url, [void(third)])
    with get_session(database_url) as session:
        assert session.exec(select(Tournament.next_fold_index)).one() == 3
        assert session.get_one(Game, third).void_cause == "provider"


def test_a_place_that_was_given_up_may_be_played_after_all(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    end(database_url, [void(first), won(second)])
    with get_session(database_url) as session:
        assert folded(session) == [second]
        retried = Repository(session).retry_game(first).id or 0
    end(database_url, [won(retried)])
    with get_session(database_url) as session:
        assert folded(session) == [second, retried]
    assert rebuild(database_url, check=True).differences == ()


def test_a_finished_game_cannot_become_void(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    end(database_url, [won(first), void(second)])
    with pytest.raises(WriteFailed, match="it is completed"):
        end(database_url, [void(first)])
    with pytest.raises(WriteFailed, match="it is void"):
        end(database_url, [won(second)])


def test_games_recorded_without_ratings_are_rated_with_the_next(database_url: str) -> None:
    games = tournament(database_url)

    async def main() -> None:
        async with Recorder(database_url) as recorder:
            for key in games[:3]:
                await recorder.append(won(key))
        async with Recorder(database_url, FOLD) as recorder:
            await recorder.append(won(games[3]))

    asyncio.run(main())
    with get_session(database_url) as session:
        assert folded(session) == games
    assert rebuild(database_url, check=True).differences == ()


def test_ratings_kept_by_hand_outlive_a_rebuild(database_url: str) -> None:
    end(database_url, [won(tournament(database_url)[0])])
    with get_session(database_url) as session:
        Repository(session).create_or_update_trueskill(1, 30.0, 2.0)
        session.execute(text("UPDATE rating_pools SET games = 7 WHERE environment_id IS NOT NULL"))
    assert len(rebuild(database_url).differences) == 2
    with get_session(database_url) as session:
        found = Repository(session).get_agent_trueskill(1)
        assert found is not None
        assert (found.mu, found.sigma) == (30.0, 2.0)


def test_nobody_rates_between_another_ones_read_and_write(database_url: str) -> None:
    one, two = (open_writer(resolve_url(database_url), 10) for _ in range(2))
    one.begin()
    one.lock_fold()
    if isinstance(two, PostgreSQLConnection):
        two.execute("SET lock_timeout = '10ms'")
        with pytest.raises(two.refused, match="lock timeout"):
            two.lock_fold()
    else:
        with pytest.raises(two.refused, match="locked"):
            two.begin()
    one.rollback()
    two.rollback()
    two.begin()
    two.lock_fold()
    for connection in (one, two):
        connection.rollback()
        connection.close()


RACE = """
import asyncio, sys
from db import Recorder
from tests.db.tournaments import FOLD, won

async def main():
    async with Recorder(sys.argv[1], FOLD) as recorder:
        for key in sys.argv[2].split(","):
            await recorder.append(won(int(key), int(key) % 3 - 1))

asyncio.run(main())
"""


@pytest.mark.slow
def test_two_processes_lose_no_update(database_url: str) -> None:
    """Each finishes every other game of one cup, and all of its own, in the same rules."""
    shared = tournament(database_url, games=24, name="shared")
    own = [tournament(database_url, games=12, name=f"own {number}") for number in range(2)]
    root = str(Path(db.__file__).parent.parent)
    processes = []
    for number in range(2):
        keys = [key for pair in zip(shared[number::2], own[number], strict=True) for key in pair]
        argument = ",".join(map(str, keys))
        command = [sys.executable, "-c", RACE, database_url, argument]
        processes.append(subprocess.Popen(command, cwd=root))
    assert [process.wait() for process in processes] == [0, 0]
    with get_session(database_url) as session:
        assert sorted(folded(session)) == sorted(shared + own[0] + own[1])
        assert [key for key in folded(session) if key in shared] == shared
        pool = session.exec(select(RatingPool).where(col(RatingPool.tournament_id).is_(None))).one()
        assert pool.games == 48
    assert rebuild(database_url, check=True).differences == ()


def test_teams_are_numbered_in_order_of_first_seat() -> None:
    assert numbered(["Mafia", "Village", "Village", "Mafia"]) == [0, 1, 1, 0]
    assert numbered([None, None, "a", "a"]) == [0, 1, 2, 2]


def test_pairings_are_scheduled_in_order(database_url: str) -> None:
    tournament(database_url, games=0)
    with get_session(database_url) as session:
        keys = Repository(session).schedule_games(
            1, [Pairing(index, 9, (1 + index % 3,)) for index in range(50)]
        )
        for index, key in enumerate(keys):
            game = session.get_one(Game, key)
            assert game.schedule_index == index
            assert [player.agent_id for player in game.players] == [1 + index % 3]
