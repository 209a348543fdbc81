"""One process at a time runs a tournament, whatever the clocks say."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from db import DatabaseError, Recorder, get_engine
from db.engine import FROZEN_AFTER_S
from db.errors import LeaseHeld, LeaseLost
from db.leases import TOURNAMENT, TTL, acquire
from db.urls import resolve_url
from db.writer.connections import Lost, open_writer
from tests.conftest import TEMPLATE, Fresh
from tests.db.holders import Waiting, at, challenge, elsewhere, holder, row, write
from tests.db.test_recorder import opened, read
from tests.db.tournaments import tournament


def test_a_free_tournament_is_leased_at_once(database_url: str) -> None:
    tournament(database_url)
    waiting = Waiting()
    first = challenge(database_url, waiting)
    assert (first.key, first.fence) == (1, 1)
    told = json.loads(row(database_url).holder)
    assert (told["host"], told["pid"]) == (socket.gethostname(), os.getpid())
    assert Path(told["lock"]).exists()
    first.release()
    assert row(database_url).holder is None
    assert not Path(told["lock"]).exists()
    second = challenge(database_url, waiting)
    assert second.fence == 2
    second.release()
    # Letting go of what another holds, or twice, changes nothing.
    third = challenge(database_url, waiting)
    first.release()
    second.release()
    assert row(database_url).holder is not None
    third.release()
    assert waiting.looks == 0


def test_there_is_no_lease_of_no_tournament(database_url: str) -> None:
    with pytest.raises(DatabaseError, match="there is no tournament 7"):
        at(database_url).lease(7)


def test_a_holder_that_writes_is_left_alone(database_url: str) -> None:
    first, *_ = tournament(database_url)
    lease = challenge(database_url, Waiting())
    waiting = Waiting(lambda: write(database_url, lease, first))
    with pytest.raises(LeaseHeld, match=rf"pid {os.getpid()} on {socket.gethostname()}"):
        challenge(database_url, waiting)
    assert waiting.looks == 1
    assert row(database_url).fence == 1
    lease.release()


def test_a_silent_holder_elsewhere_is_believed_for_a_while(database_url: str) -> None:
    first, second, *_ = tournament(database_url)
    old = challenge(database_url, Waiting())
    elsewhere(database_url)
    waiting = Waiting()
    new = challenge(database_url, waiting)
    assert waiting.now == pytest.approx(10.0)
    assert new.fence == 2

    write(database_url, new, first)
    with pytest.raises(LeaseLost, match="another process has taken over tournament 1"):
        write(database_url, old, second)
    engine = get_engine(database_url)
    with engine.connect() as connection:
        statuses = connection.execute(text("SELECT status FROM games ORDER BY id LIMIT 2"))
        assert [status for (status,) in statuses] == ["running", "scheduled"]
    engine.dispose()
    old.release()
    assert row(database_url).holder is not None
    new.release()


def test_a_challenger_whose_clock_jumps_looks_no_less_often(database_url: str) -> None:
    first, *_ = tournament(database_url)
    lease = challenge(database_url, Waiting())
    waiting = Waiting()

    def each() -> None:
        waiting.now += 3600.0
        if waiting.looks == 15:
            write(database_url, lease, first)

    waiting.each = each
    with pytest.raises(LeaseHeld):
        challenge(database_url, waiting)
    lease.release()


def test_a_tournament_let_go_while_it_is_watched_is_taken(database_url: str) -> None:
    tournament(database_url)
    lease = challenge(database_url, Waiting())
    waiting = Waiting()
    waiting.each = lambda: waiting.looks == 3 and lease.release()
    new = challenge(database_url, waiting)
    assert (new.fence, waiting.looks) == (2, 3)
    new.release()


def test_a_dead_holder_on_this_machine_is_taken_over_at_once(sqlite_url: str) -> None:
    tournament(sqlite_url)
    with holder(sqlite_url) as process:
        left = Path(json.loads(row(sqlite_url).holder)["lock"])
        process.kill()
    waiting = Waiting()
    lease = challenge(sqlite_url, waiting)
    assert (lease.fence, waiting.looks) == (2, 0)
    assert not left.exists()
    lease.release()


@pytest.mark.slow
def test_a_living_holder_on_this_machine_is_watched(sqlite_url: str) -> None:
    tournament(sqlite_url)
    with holder(sqlite_url):
        waiting = Waiting()
        lease = challenge(sqlite_url, waiting)
        assert waiting.now == pytest.approx(10.0)
    assert lease.fence == 2
    lease.release()


def test_an_idle_recorder_says_that_it_lives(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tournament(database_url)
    lease = challenge(database_url, Waiting())
    monkeypatch.setattr("db.recorder.HEARTBEAT", 0.01)

    async def main() -> None:
        async with Recorder(database_url, lease=lease) as recorder:
            before = row(database_url).beat
            for _ in range(1000):
                if row(database_url).beat >= before + 3:
                    break
                await asyncio.sleep(0.01)
            assert row(database_url).beat >= before + 3
            assert recorder.stats.commits == 0

    asyncio.run(main())
    lease.release()


def test_a_batch_of_a_lost_lease_is_refused_whole(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a slow machine the holder would say in time that it lives.
    monkeypatch.setattr("db.recorder.HEARTBEAT", 3600.0)
    first, second, *_ = tournament(database_url)
    lease = challenge(database_url, Waiting())

    async def main() -> list[Any]:
        async with Recorder(database_url, lease=lease) as recorder:
            await recorder.append(opened(first, 0, 0, "ours"))
            elsewhere(database_url)
            new = await asyncio.to_thread(challenge, database_url, Waiting())
            found = await asyncio.gather(
                recorder.append(opened(first, 1, 0, "late")),
                recorder.append(opened(second, 0, 0, "late")),
                recorder.append(opened(999, 0, 0, "no such game")),
                return_exceptions=True,
            )
            new.release()
            return list(found)

    assert [type(error) for error in asyncio.run(main())] == [LeaseLost] * 3
    assert [turn.observation for turn in read(database_url, first)] == ["ours"]
    assert read(database_url, second) == []
    lease.release()


def test_a_server_lets_go_of_a_writer_that_is_frozen_in_mid_transaction(
    postgresql_url: str,
) -> None:
    frozen = open_writer(resolve_url(postgresql_url), 1000)
    frozen.query("SELECT set_config('idle_in_transaction_session_timeout', '200ms', false)")
    frozen.commit()
    frozen.begin()
    frozen.lock_fold()

    other = open_writer(resolve_url(postgresql_url), 1000)
    other.begin()
    other.lock_fold()

    with pytest.raises(Lost):
        frozen.query("SELECT 1")
    for connection in (frozen, other):
        connection.close()


def test_a_writer_asks_the_server_to_let_go_of_it_when_it_is_frozen(postgresql_url: str) -> None:
    writer = open_writer(resolve_url(postgresql_url), 1000)
    asked = writer.query("SHOW idle_in_transaction_session_timeout")
    writer.close()

    assert asked == [(f"{FROZEN_AFTER_S}s",)]
    assert FROZEN_AFTER_S < TTL


def test_a_holder_that_is_frozen_in_mid_pipeline_does_not_keep_its_lease(
    postgresql_url: str, fresh_postgresql: Fresh
) -> None:
    tournament(postgresql_url)
    held = at(postgresql_url).lease(1)
    address = resolve_url(postgresql_url).set(drivername="postgresql")
    with (
        psycopg.connect(address.render_as_string(hide_password=False)) as frozen,
        # Its tables are copies: they have the same numbers.
        fresh_postgresql(TEMPLATE) as another,
        psycopg.connect(another) as beside,
    ):
        beside.execute("UPDATE leases SET beat = beat + 1")
        wire = frozen.pgconn
        wire.enter_pipeline_mode()
        wire.send_query_params(b"BEGIN", None)
        wire.send_query_params(b"UPDATE leases SET beat = beat + 1", None)
        # Not followed by the end of the pipeline: the server does not take it for idle.
        wire.send_flush_request()
        wire.flush()

        lease = acquire(at(postgresql_url).reconnecting, TOURNAMENT, 1, ttl=0.4, frozen_after=0.2)

        assert lease.fence == held.fence + 1
        assert beside.execute("SELECT 1").fetchone() == (1,), "that is of another database"
        lease.release()
        frozen.close()
    held.lock.release()
