"""A loop that is far behind for long begins fewer games at once, and more when it is well again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from arena.core import CallAnswer
from arena.game.journal import Answered
from arena.orchestrator.saturation import Saturation
from arena.record.writing import Meter
from arena.reports.call_times import CallTimes
from arena.reports.usage import latency_of
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
        saturation = Saturation(lambda: playing, Meter())
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
    saturation = Saturation(lambda: 8, Meter())
    for _ in range(20):
        for _ in range(9):
            saturation.looked(2.0)
        saturation.looked(0.3)

    assert saturation.limit is saturation.fewest is None


def test_one_game_is_always_played() -> None:
    running = 8
    saturation = Saturation(lambda: running, Meter())
    limits = []
    for _ in range(8):
        for _ in range(10):
            saturation.looked(2.0)
        assert saturation.limit is not None
        running = saturation.limit
        limits.append(running)

    assert limits == [6, 4, 3, 2, 1, 1, 1, 1]


def answered(meter: Meter, *, latency: float, lag: float, calls: int = 20) -> None:
    """Calls come back that took their provider, and waited here, for so many seconds."""
    now = datetime.now(UTC)
    for _ in range(calls):
        answer = CallAnswer(0, now, now, total_ms=latency * 1e3, text="", lag_ms=lag * 1e3)
        meter.count(Answered(0, 0, answer))


@pytest.mark.parametrize(
    ("latency", "lag", "limit"),
    [
        pytest.param(0.5, 0.6, 6, id="calls wait for the process longer than for their provider"),
        pytest.param(0.0, 0.4, None, id="nor is a short wait a long one, whatever it is a part of"),
        pytest.param(5.0, 0.6, None, id="a wait that is little beside a slow provider's time"),
        pytest.param(60.0, 0.0, None, id="a slow provider is no saturated process"),
    ],
)
def test_calls_that_wait_for_the_process_say_that_it_is_saturated(
    latency: float, lag: float, limit: int | None
) -> None:
    meter = Meter()
    saturation = Saturation(lambda: 8, meter)
    for _ in range(10):
        answered(meter, latency=latency, lag=lag)
        saturation.looked(0.0)

    assert saturation.limit == saturation.fewest == limit

    for _ in range(10):
        answered(meter, latency=latency, lag=0.01)
        saturation.looked(0.0)
    assert saturation.limit is None if limit is None else saturation.limit in (None, 8)


def test_a_saturated_process_is_told_from_a_slow_provider() -> None:
    def times(latency: float, lag: float) -> CallTimes:
        meter = Meter()
        answered(meter, latency=latency, lag=lag)
        return CallTimes(latency_of(meter.call_ms), latency_of(meter.lag_ms))

    slow, busy = times(60.0, 0.02), times(0.5, 5.3)
    assert (slow.saturated, busy.saturated) == (False, True)
    assert busy.said == (
        "calls took 501 ms (19 in 20 below 501 ms), and waited here for 5.2 s "
        "(19 in 20 below 5.2 s)"
    ), "right to 2.2 percent"
    assert not CallTimes().saturated
    assert CallTimes().said is None
