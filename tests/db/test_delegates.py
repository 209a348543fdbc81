"""Other processes write for the holder of a lease, as long as it is theirs and they live."""

from __future__ import annotations

import asyncio
import pickle

import psycopg
import pytest
from sqlalchemy import text

from db import Recorder, get_engine
from db.delegates import Delegation
from db.errors import LeaseLost
from db.leases import Lease
from db.writer.games import GameStarted
from tests.db.holders import Waiting, at, challenge, elsewhere
from tests.db.tournaments import NOON, tournament

WORKER = "7"


def delegated(url: str, lease: Lease) -> Delegation | None:
    """What the recorder of the lease's holder has for others, as they receive it."""

    async def ask() -> Delegation | None:
        async with at(url).recorder(lease=lease, delegates=True) as recorder:
            found: Delegation | None = pickle.loads(pickle.dumps(recorder.delegation))
            return None if found is None else found.of(WORKER)

    return asyncio.run(ask())


def write(delegation: Delegation, game_id: int) -> None:
    async def one() -> None:
        async with Recorder(delegation.session_url, lease=delegation) as recorder:
            await recorder.append(GameStarted(game_id, NOON, 1))

    asyncio.run(one())


def statuses(url: str) -> list[str]:
    engine = get_engine(url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT status FROM games ORDER BY id LIMIT 2"))
        read = [str(status) for (status,) in found]
    engine.dispose()
    return read


def test_on_sqlite_the_holder_alone_writes(sqlite_url: str) -> None:
    tournament(sqlite_url)
    with challenge(sqlite_url, Waiting()) as lease:
        assert delegated(sqlite_url, lease) is None


def test_a_delegate_writes_until_another_process_has_taken_over(postgresql_url: str) -> None:
    url = postgresql_url
    first, second, *_ = tournament(url)
    old = challenge(url, Waiting())
    delegation = delegated(url, old)
    assert delegation is not None
    assert url.partition("@")[0] not in repr(delegation)

    write(delegation, first)
    elsewhere(url)
    new = challenge(url, Waiting())
    with pytest.raises(LeaseLost, match="another process has taken over tournament 1"):
        write(delegation, second)

    assert statuses(url) == ["running", "scheduled"]
    old.release()
    new.release()


@pytest.mark.parametrize("how", ["the delegate has ended", "the run is taken over"])
def test_what_a_delegate_was_writing_is_not_written_any_more(
    postgresql_url: str, empty_postgresql_url: str, how: str
) -> None:
    url = postgresql_url
    first, *_ = tournament(url)
    old = challenge(url, Waiting())
    delegation = delegated(url, old)
    assert delegation is not None
    name = str(delegation.session_url.query["application_name"])
    with psycopg.connect(url, application_name=name) as frozen:
        beat = delegation.beat.replace("?", "%s")
        assert frozen.execute(beat, (delegation.key, delegation.fence)).fetchone() == (1,)
        frozen.execute("UPDATE games SET status = 'running' WHERE id = %s", (first,))
        with (
            psycopg.connect(url, application_name=f"{name[:-1]}0.") as other,
            psycopg.connect(empty_postgresql_url, application_name=name) as beside,
        ):
            if how == "the delegate has ended":
                with at(url).session() as session:
                    delegation.end(session, WORKER)
                assert other.execute("SELECT 1").fetchone() == (1,), "that is another's"
            else:
                elsewhere(url)
                challenge(url, Waiting()).release()
            assert beside.execute("SELECT 1").fetchone() == (1,), "that is of another database"
        with pytest.raises(psycopg.OperationalError):
            frozen.commit()

    assert statuses(url) == ["scheduled", "scheduled"]
    old.release()


def test_a_delegate_that_was_only_frozen_is_refused_when_it_wakes_up(postgresql_url: str) -> None:
    url = postgresql_url
    first, second, *_ = tournament(url)
    lease = challenge(url, Waiting())
    frozen = delegated(url, lease)
    assert frozen is not None
    write(frozen, first)

    with at(url).session() as session:
        frozen.end(session, WORKER)
    with pytest.raises(LeaseLost):
        write(frozen, second)
    write(frozen.of("8"), second)

    assert statuses(url) == ["running", "running"]
    lease.release()
