"""What another machine cannot write is said with its name: the run's own may reach the database."""

from __future__ import annotations

import asyncio
import socket

import pytest

from arena.core import RecordError
from arena.record.writing import Delegated
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
