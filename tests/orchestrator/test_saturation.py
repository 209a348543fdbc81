"""A loop that is far behind for long begins fewer games at once, and more when it is well again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from arena.orchestrator.saturation import Saturation
from torture import virtual_time


def held(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, virtual_time.VirtualTimeLoop)
    loop.hold(seconds)


async def busy(looks: int, late: float) -> None:
    """Hold the loop by `late` seconds, again and again."""
    for _ in range(looks):
        await asyncio.sleep(0.5)
        held(0.5 + late)


async def games() -> AsyncIterator[int]:
    for number in range(100):
        yield number


def test_a_loop_that_is_far_behind_for_long_begins_no_game_until_some_have_ended() -> None:
    async def main() -> None:
        playing = 8
        saturation = Saturation(lambda: playing)
        begun: list[int] = []

        async def play() -> None:
            async for number in saturation.within(games(), 8):
                begun.append(number)
                await asyncio.sleep(1.0)

        player = asyncio.create_task(play())
        await busy(5, late=1.0)
        assert saturation.limit is None
        assert len(begun) > 1
        await busy(8, late=1.0)
        assert saturation.limit == 6

        waiting = len(begun)
        await asyncio.sleep(5.0)
        assert len(begun) == waiting
        playing = 5
        await asyncio.sleep(5.0)
        assert len(begun) > waiting
        await asyncio.sleep(30.0)
        assert saturation.limit is None
        assert saturation.fewest == 6
        player.cancel()

    virtual_time.run(main())


def test_a_loop_that_is_late_now_and_then_is_not_saturated() -> None:
    saturation = Saturation(lambda: 8)
    for _ in range(20):
        for _ in range(9):
            saturation.looked(2.0)
        saturation.looked(0.3)

    assert saturation.limit is saturation.fewest is None


def test_one_game_is_always_played() -> None:
    running = 8
    saturation = Saturation(lambda: running)
    limits = []
    for _ in range(8):
        for _ in range(10):
            saturation.looked(2.0)
        assert saturation.limit is not None
        running = saturation.limit
        limits.append(running)

    assert limits == [6, 4, 3, 2, 1, 1, 1, 1]
