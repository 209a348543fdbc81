"""A restart of the server in the middle of a run is waited for, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from sqlalchemy import make_url
from sqlmodel import Session

from arena.leaderboard.rebuild import rebuild
from db import Database, Recorder, Repository, get_session, init_db
from db.errors import Unreachable
from db.writer.games import GameStarted
from tests.db.test_recorder import play, read, scalar
from tests.db.tournaments import FOLD, NOON, tournament
from torture.databases import PostgreSQL

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[PostgreSQL]:
    own = PostgreSQL()
    try:
        init_db(own.base)
        yield own
    finally:
        own.close()


def test_games_that_are_recorded_while_the_server_is_restarted(server: PostgreSQL) -> None:
    url = server.base
    keys = tournament(url, games=4)
    database = Database(url)
    lease = database.lease(1)

    async def short_sessions(restarted: asyncio.Event) -> int:
        """What a run reads and writes beside its record: each of them, whatever happens."""

        def touch(session: Session) -> str:
            Repository(session).set_tournament_settings(1, {"concurrency": count})
            return Repository(session).get_or_create_prompt("q", "You play well.").name

        count = 0
        while not restarted.is_set():
            assert await asyncio.to_thread(database.reconnecting, touch) == "q"
            count += 1
        return count

    async def main() -> int:
        restarted = asyncio.Event()
        async with Recorder(url, FOLD, lease=lease) as recorder:

            async def twice() -> None:
                for mode in ("immediate", "fast"):
                    await asyncio.to_thread(server.restart, mode, pause=0.3)
                restarted.set()

            async def games(key: int) -> None:
                turns = 2
                while not restarted.is_set():
                    # The turns of before are written again: that changes nothing.
                    await play(recorder, key, turns, stop=False)
                    turns += 2
                await play(recorder, key, turns)

            results = await asyncio.gather(
                twice(), short_sessions(restarted), *(games(key) for key in keys)
            )
            assert recorder.stats.refused == 0
            return int(results[1] or 0)

    assert asyncio.run(main()) > 0
    lease.release()
    database.close()
    for key in keys:
        turns = read(url, key)
        assert [turn.turn_number for turn in turns] == list(range(len(turns)))
        for turn in turns:
            assert turn.action is not None
            assert turn.calls[0].messages[1]["content"] == turn.observation
            assert turn.calls[0].text == turn.action
    assert scalar(url, "SELECT COUNT(*) FROM games WHERE status = 'completed'") == 4
    assert scalar(url, "SELECT COUNT(*) FROM rating_changes") == 4 * 4
    assert rebuild(url, check=True).differences == ()
    with get_session(url) as session:
        repo = Repository(session)
        assert repo.check_counters(1) == (4, [])
        assert [prompt.name for prompt in repo.get_prompts()] == ["plain", "q"]


def test_a_worker_that_joins_while_the_server_is_away_waits_for_it(server: PostgreSQL) -> None:
    url = server.base
    key, *_ = tournament(url)
    database = Database(url)
    lease = database.lease(1)
    delegation = lease.delegated(make_url(url)).of("late")

    async def main() -> None:
        worker = Recorder(delegation.session_url, lease=delegation)
        with server.away("immediate"):
            joining = asyncio.ensure_future(worker.__aenter__())
            await asyncio.sleep(0.3)
            assert not joining.done()
            nobody = Recorder(url, lease=delegation, patience=0.0)
            with pytest.raises(Unreachable):
                await nobody.__aenter__()
        await joining
        await worker.append(GameStarted(key, NOON, 1))
        await worker.close()

    asyncio.run(main())
    assert scalar(url, f"SELECT status FROM games WHERE id = {key}") == "running"
    lease.release()
    database.close()
