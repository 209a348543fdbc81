"""Workers on other machines write the record as long as they are not taken for dead; what one
cannot write is said with the name of its machine, as the run's own may reach the database."""

from __future__ import annotations

import asyncio
import socket

import pytest

from arena.core import RecordError, WorkerLost
from arena.record.writing import Delegated, GameRecorder, Meter
from db.delegates import Delegation
from tests.db.holders import Waiting, at, challenge, elsewhere
from tests.db.tournaments import tournament

HERE = f"^on the machine {socket.gethostname()}: "


def record(delegation: Delegation, game_id: int) -> None:
    async def one() -> None:
        async with Delegated(delegation).opened("7") as journal:
            await journal(game_id).started(1)

    asyncio.run(one())


def test_a_machine_that_cannot_write_is_named(postgresql_url: str) -> None:
    url = postgresql_url
    first, second, *_ = tournament(url)
    old = challenge(url, Waiting())

    async def delegated() -> Delegation:
        async with at(url).recorder(lease=old, delegates=True) as recorder:
            assert recorder.delegation is not None
            return recorder.delegation

    delegation = asyncio.run(delegated())
    record(delegation, first)
    elsewhere(url)
    new = challenge(url, Waiting())
    with pytest.raises(RecordError, match=f"{HERE}another process has taken over tournament 1"):
        record(delegation, second)
    old.release()
    new.release()


def test_what_a_lost_worker_still_wants_to_write_is_refused_before_its_game_resumes(
    postgresql_url: str,
) -> None:
    """It was only frozen, or cut off, on a machine that nobody can reach."""
    url = postgresql_url
    first, second, *_ = tournament(url)
    lease = challenge(url, Waiting())

    async def main() -> None:
        database = at(url)
        async with database.recorder(lease=lease, delegates=True) as recorder:
            assert recorder.delegation is not None
            theirs = Delegated(recorder.delegation)
            async with theirs.opened("7") as frozen, theirs.opened("8") as other:
                await frozen(first).started(1)
                await GameRecorder(recorder, first, Meter()).lost(
                    database, WorkerLost("it says nothing", "7")
                )
                with pytest.raises(RecordError):
                    await frozen(second).started(1)
                await other(second).started(1)

    asyncio.run(main())
    lease.release()
