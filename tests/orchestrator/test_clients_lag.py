"""The games of a command share one measure of their loop's lag, with what they are asked by."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from arena.orchestrator.clients import ModelAccess, client_for, limits_for
from arena.orchestrator.stopping import Stop
from torture import virtual_time


class HeldSlot:
    """Plays nothing: waits, holds the loop and waits again."""

    def lent(self, after: float = 0.0, worth: Any = None) -> Any:
        raise AssertionError("nothing is asked")

    async def call(self, play: Any, task: Any, ports: Any) -> Any:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, virtual_time.VirtualTimeLoop)
        await asyncio.sleep(10.0)
        loop.hold(3.0)
        await asyncio.sleep(10.0)


def test_the_lag_is_measured_while_a_game_plays_whether_or_not_a_call_is_in_flight() -> None:
    client = client_for(None)
    limits = limits_for(None, client.lag)
    game: Any = None

    async def main() -> float:
        access = ModelAccess(client, limits)
        await access.play(game, game, HeldSlot(), Stop(), lambda: False)
        return client.lag.held(asyncio.get_running_loop().time())

    assert virtual_time.run(main()) == pytest.approx(3.0, abs=0.02)
