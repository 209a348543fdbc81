"""How far an event loop is behind, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from arena.llm.pacing.loop_lag import LoopLag
from torture import virtual_time


def loop() -> virtual_time.VirtualTimeLoop:
    running = asyncio.get_running_loop()
    assert isinstance(running, virtual_time.VirtualTimeLoop)
    return running


def held(lag: LoopLag) -> float:
    return lag.held(loop().time())


def test_what_holds_the_loop_is_measured_and_what_waits_is_not() -> None:
    async def main() -> None:
        lag = LoopLag()
        with lag.watched():
            await asyncio.sleep(60.0)
            assert held(lag) == pytest.approx(0.0, abs=1e-3)
            loop().hold(3.0)
            assert held(lag) == pytest.approx(3.0, abs=0.01)
            await asyncio.sleep(60.0)
            assert held(lag) == pytest.approx(3.0, abs=0.01)

    virtual_time.run(main())


def test_what_came_may_have_been_there_since_the_loop_looked_last() -> None:
    async def main() -> None:
        lag = LoopLag()
        with lag.watched():
            await asyncio.sleep(60.0)
            assert lag.unseen(loop().time()) == 0.0
            loop().hold(3.0)
            assert lag.unseen(loop().time()) == pytest.approx(3.0, abs=0.02)
            # The timer that was due meanwhile has run, and the loop has not looked since.
            loop().call_at(loop().time(), seen.set)
            await seen.wait()
            assert lag.unseen(loop().time()) == pytest.approx(3.0, abs=0.02)
            await asyncio.sleep(0.02)
            assert lag.unseen(loop().time()) == 0.0

    seen = asyncio.Event()
    virtual_time.run(main())


def test_many_short_callbacks_hold_it_as_one_long_one_does() -> None:
    async def main() -> None:
        lag = LoopLag()

        async def game() -> None:
            for _ in range(10):
                loop().hold(0.001)
                await asyncio.sleep(0)

        with lag.watched():
            await asyncio.gather(*(game() for _ in range(500)))
            assert held(lag) == pytest.approx(5.0, rel=0.02)

    virtual_time.run(main())


def test_nothing_is_measured_and_no_timer_runs_while_nobody_watches() -> None:
    async def main() -> None:
        lag = LoopLag()
        for _ in range(2):
            with lag.watched(), lag.watched():
                await asyncio.sleep(0.1)
            loop().hold(5.0)
            assert held(lag) == pytest.approx(0.0, abs=1e-3)
        with pytest.raises(RuntimeError, match="nothing will ever happen"):
            await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        virtual_time.run(main())


def test_another_loop_is_measured_from_its_start() -> None:
    lag = LoopLag()

    async def left() -> None:
        watching = lag.watched()
        watching.__enter__()
        await asyncio.sleep(1.0)

    async def main() -> None:
        with lag.watched():
            await asyncio.sleep(0.1)
            loop().hold(1.0)
            await asyncio.sleep(0.1)
            assert held(lag) == pytest.approx(1.0, abs=0.01)

    virtual_time.run(left())
    virtual_time.run(main())
