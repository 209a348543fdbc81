"""Patience is the model's: what our own loop was held for counts in none, in virtual time."""

from __future__ import annotations

import asyncio
import random

import pytest

from arena.core import ModelParked
from arena.llm.pacing.breaker import BreakerState
from arena.llm.pacing.limits import Gate, Limits
from torture import virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


def hold(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, virtual_time.VirtualTimeLoop)
    loop.hold(seconds)


async def fail(gate: Gate, *, rate_limited: bool = False) -> None:
    permit = await gate.enter(1)
    permit.failed(rate_limited=rate_limited, retry_after=None, said="HTTP 503")


async def fails(gate: Gate) -> None:
    while True:
        await fail(gate)


@pytest.mark.parametrize("rate_limited", [False, True])
def test_a_model_that_is_back_after_the_loop_was_held_is_not_parked(rate_limited: bool) -> None:
    async def main() -> None:
        limits = Limits(patience=60.0, rng=random.Random(1))
        gate = limits.gate("m")
        with limits.lag.watched():
            for _ in range(4):
                await fail(gate, rate_limited=rate_limited)
            waiting = asyncio.create_task(gate.enter(1))
            await asyncio.sleep(0.1)
            hold(100.0)
            (await waiting).failed(rate_limited=rate_limited, retry_after=None)
            (await gate.enter(1)).succeeded(1)
        assert gate.state.breaker is BreakerState.CLOSED
        assert now() > 100.0

    virtual_time.run(main())


@pytest.mark.parametrize(
    ("patience", "doubt"),
    [pytest.param(60.0, 1e9, id="patience"), pytest.param(1e9, 60.0, id="doubt")],
)
def test_it_is_parked_once_the_loop_was_free_for_as_long(patience: float, doubt: float) -> None:
    async def main() -> None:
        limits = Limits(patience=patience, doubt=doubt, rng=random.Random(1))
        gate = limits.gate("m")

        async def holds() -> None:
            while True:
                hold(0.9)
                await asyncio.sleep(0.1)

        with limits.lag.watched():
            held = asyncio.create_task(holds())
            with pytest.raises(ModelParked, match=r"no answer for (6\d|7[0-7]) s"):
                await fails(gate)
            held.cancel()
        # Nine seconds in ten are ours; one more probe may be under way at the end.
        assert 590.0 <= now() <= 790.0

    virtual_time.run(main())


def test_a_silent_probe_keeps_the_next_waiting_for_half_a_minute_of_a_free_loop() -> None:
    async def main() -> None:
        limits = Limits(patience=600.0, rng=random.Random(1))
        gate = limits.gate("m")
        with limits.lag.watched():
            for _ in range(4):
                await fail(gate)
            probe = await gate.enter(1)
            sent = now()
            second = asyncio.create_task(gate.enter(1))
            await asyncio.sleep(1.0)
            hold(50.0)
            await asyncio.sleep(1.0)
            assert not second.done()
            assert (await second).probe
            assert now() == pytest.approx(sent + 50.0 + 30.0, abs=0.05)
            probe.cancelled()

    virtual_time.run(main())


def test_all_that_a_hold_costs_while_nobody_watches_is_time() -> None:
    async def main() -> None:
        gate = Limits(patience=60.0, rng=random.Random(1)).gate("m")
        await fail(gate)
        hold(100.0)
        with pytest.raises(ModelParked, match="no answer for 10"):
            await fails(gate)

    virtual_time.run(main())
