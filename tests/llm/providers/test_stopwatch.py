"""What an attempt counts as the provider's time, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arena.llm.pacing.loop_lag import LoopLag
from arena.llm.providers.stopwatch import Stopwatch, stopwatch, timed
from torture import virtual_time


def loop() -> virtual_time.VirtualTimeLoop:
    running = asyncio.get_running_loop()
    assert isinstance(running, virtual_time.VirtualTimeLoop)
    return running


def hold(seconds: float) -> None:
    loop().hold(seconds)


def given_up(main: Callable[[Stopwatch], Awaitable[None]], most: float) -> tuple[Stopwatch, float]:
    """The stopwatch of an attempt that is given up at `most` seconds, 5 of them for its answer, and
    when that is."""
    watches: list[Stopwatch] = []

    async def attempt() -> None:
        async with timed(LoopLag(), most=most, answering=5.0) as watch:
            watches.append(watch)
            await main(watch)

    async def until_given_up() -> float:
        with pytest.raises(TimeoutError):
            await attempt()
        return loop().time()

    now = virtual_time.run(until_given_up())
    return watches[0], now


def soon(seconds: float) -> object:
    return pytest.approx(seconds, abs=0.02)


def test_only_what_lies_between_request_and_answer_is_the_providers() -> None:
    async def main() -> Stopwatch:
        async with timed(LoopLag(), most=100.0, answering=10.0) as watch:
            hold(20.0)  # before it asks for a connection
            watch.preparing()
            await asyncio.sleep(3.0)  # until it has one
            hold(20.0)
            watch.sent()
            await asyncio.sleep(2.0)
            hold(4.0)  # while the provider thinks
            await asyncio.sleep(1.0)
            watch.heard(lambda: 0.0)
            hold(20.0)  # while the answer is read
            await asyncio.sleep(0)
        return watch

    watch = virtual_time.run(main())
    assert watch.answering() == soon(7.0)
    assert watch.elapsed() == soon(10.0)
    assert watch.lagging() == soon(60.0)


@pytest.mark.parametrize(
    ("ago", "seconds"),
    [
        pytest.param(6.0, 4.0, id="the system says when it came"),
        pytest.param(None, 2.0, id="it does not: when the loop was held"),
        pytest.param(9.0, 2.0, id="what it says is older than the last look"),
    ],
)
def test_an_answer_that_came_while_the_loop_was_held_came_in_time(
    ago: float | None, seconds: float
) -> None:
    async def main() -> Stopwatch:
        async with timed(LoopLag(), most=5.0, answering=5.0) as watch:
            watch.preparing()
            watch.sent()
            await asyncio.sleep(2.0)
            hold(8.0)
            watch.heard(lambda: ago)
            await asyncio.sleep(1.0)
        return watch

    watch = virtual_time.run(main())
    assert watch.answering() == soon(seconds)
    assert watch.lagging() == soon(10.0 - seconds), "the answer lay there"


@pytest.mark.parametrize("held", [0.0, 30.0])
def test_the_time_is_over_when_the_loop_looks_and_nothing_has_come(held: float) -> None:
    async def main(watch: Stopwatch) -> None:
        watch.preparing()
        watch.sent()
        await asyncio.sleep(1.0)
        hold(held)
        await asyncio.sleep(600.0)

    watch, now = given_up(main, 100.0)
    assert watch.answering() == soon(max(5.0, 1.0 + held))
    assert now == soon(max(5.0, 1.0 + held))


def test_what_is_being_read_is_not_given_up() -> None:
    async def main() -> float:
        async with timed(LoopLag(), most=100.0, answering=5.0) as watch:
            watch.preparing()
            watch.watched = True
            watch.sent()
            await asyncio.sleep(4.9)
            watch.heard()
            for _ in range(2000):
                # A burst: there is always a next chunk, and others have their turn.
                watch.awaiting()
                watch.reading()
                hold(0.005)
                await asyncio.sleep(0)
        return watch.answering()

    assert virtual_time.run(main()) == soon(4.9)


def test_what_waits_until_the_rest_is_read_came_in_time() -> None:
    """An answer that is longer than what a connection holds cannot come in before we read it."""

    async def main() -> float:
        async with timed(LoopLag(), most=100.0, answering=5.0) as watch:
            watch.preparing()
            watch.watched = True
            watch.sent()
            await asyncio.sleep(1.0)
            for _ in range(10):
                watch.heard(lambda: 0.0)
                watch.pausing()
                await asyncio.sleep(3.0)  # while others have their turn, too
                watch.pausing()
                watch.resuming()
                watch.resuming()
                await asyncio.sleep(0.1)
        return watch.answering()

    assert virtual_time.run(main()) == soon(1.9)


def test_an_answer_that_stops_in_the_middle_is_given_up() -> None:
    async def main(watch: Stopwatch) -> None:
        watch.preparing()
        watch.sent()
        await asyncio.sleep(3.0)
        watch.heard()
        watch.awaiting()
        await asyncio.sleep(600.0)

    watch, _ = given_up(main, 100.0)
    assert watch.answering() == soon(5.0)


def test_a_connection_that_never_opens_takes_the_attempts_time_and_not_the_turns() -> None:
    async def main(watch: Stopwatch) -> None:
        watch.preparing()
        await asyncio.sleep(600.0)

    watch, _ = given_up(main, 20.0)
    assert not watch.left
    assert watch.answering() == 0.0
    assert watch.elapsed() == soon(20.0)


def test_work_that_never_ends_here_is_given_up_too() -> None:
    async def main(watch: Stopwatch) -> None:
        watch.preparing()
        watch.sent()
        await asyncio.sleep(1.0)
        watch.heard()
        await asyncio.sleep(600.0)

    watch, _ = given_up(main, 20.0)
    assert watch.answering() == soon(1.0)
    assert watch.elapsed() == soon(20.0)


def test_the_time_of_a_provider_that_tells_nothing_is_that_of_a_free_loop() -> None:
    async def main(seconds: float) -> float:
        async with timed(LoopLag(), most=100.0, answering=5.0) as watch:
            await asyncio.sleep(2.0)
            hold(30.0)
            await asyncio.sleep(seconds)
        return watch.answering()

    assert virtual_time.run(main(2.0)) == soon(4.0)
    with pytest.raises(TimeoutError):
        virtual_time.run(main(4.0))


def test_two_exchanges_of_an_attempt_count_together() -> None:
    async def main() -> float:
        async with timed(LoopLag(), most=100.0) as watch:
            for _ in range(2):
                watch.preparing()
                await asyncio.sleep(1.0)
                watch.sent()
                await asyncio.sleep(2.0)
                watch.heard()
        return watch.answering()

    assert virtual_time.run(main()) == soon(4.0)


def test_every_attempt_has_its_own() -> None:
    async def main() -> None:
        async with timed(LoopLag(), most=100.0) as watch:
            assert stopwatch() is watch
        assert stopwatch() is not watch

    virtual_time.run(main())
