"""Who may send a call now and who waits: places, buckets, order, and nothing left behind."""

from __future__ import annotations

import asyncio
import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import ModelParked, UsageError
from arena.llm.pacing.breaker import BreakerState
from arena.llm.pacing.limits import Gate, Limits, ModelLimits, Permit
from torture import virtual_time


def gate_of(**limits: float) -> Gate:
    return Limits({"m": ModelLimits(**limits)}, rng=random.Random(1)).gate("m")  # type: ignore[arg-type]


async def others() -> set[asyncio.Task[object]]:
    """The tasks that are left once everything that can run has run."""
    for _ in range(5):
        await asyncio.sleep(0)
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.mark.parametrize(
    "limits",
    [
        ModelLimits(),
        ModelLimits(concurrency=3, requests_per_minute=600.0, tokens_per_minute=1e6),
    ],
)
def test_a_free_place_is_given_without_a_turn_of_the_loop(limits: ModelLimits) -> None:
    async def main() -> None:
        entering = Limits({"m": limits}).gate("m").enter(100)
        with pytest.raises(StopIteration) as given:
            entering.send(None)
        assert isinstance(given.value.value, Permit)

    asyncio.run(main())


def test_a_model_has_one_gate_and_every_model_its_own() -> None:
    limits = Limits({"small": ModelLimits(concurrency=1)})
    assert limits.gate("small") is limits.gate("small")
    assert limits.gate("small") is not limits.gate("other")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"concurrency": 0}, "concurrency is 0: expected a whole number from 1"),
        ({"requests_per_minute": 0.0}, "requests_per_minute is 0: expected a number above 0"),
        ({"tokens_per_minute": float("nan")}, "tokens_per_minute is nan"),
        ({"tokens_per_minute": float("inf")}, "tokens_per_minute is inf"),
    ],
)
def test_a_limit_that_lets_nothing_through_is_refused(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ModelLimits(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("games", "limits", "most"),
    [
        (20, ModelLimits(), 1_000),
        (1_300, ModelLimits(), 1_300),
        (1_300, ModelLimits(concurrency=8), 8),
    ],
)
def test_a_model_without_a_limit_gets_a_call_for_every_game_in_flight(
    games: int, limits: ModelLimits, most: int
) -> None:
    async def main() -> None:
        gate = Limits({"m": limits}, games=games).gate("m")
        reached = 0
        for _ in range(12):
            reached = gate.state.limit
            permits = [await gate.enter(1) for _ in range(reached)]
            for permit in permits:
                permit.succeeded(1)
        assert reached == most

    asyncio.run(main())


def test_calls_leave_in_the_order_they_came() -> None:
    async def main() -> None:
        gate = gate_of(concurrency=2)
        left: list[int] = []

        async def call(number: int) -> None:
            with await gate.enter(1) as permit:
                left.append(number)
                await asyncio.sleep(1.0 + number % 3)
                permit.succeeded(1)

        await asyncio.gather(*(call(number) for number in range(20)))
        assert left == list(range(20))

    virtual_time.run(main())


def test_a_call_that_hangs_takes_one_place_and_another_model_does_not_notice() -> None:
    async def main() -> None:
        limits = Limits({"slow": ModelLimits(concurrency=2), "full": ModelLimits(concurrency=1)})
        slow, full, other = (limits.gate(name) for name in ("slow", "full", "other"))
        hung = await slow.enter(1)
        await full.enter(1)
        waiting = asyncio.create_task(full.enter(1))
        for _ in range(50):
            for gate in (slow, other):
                async with asyncio.timeout(2.0):
                    with await gate.enter(1) as permit:
                        await asyncio.sleep(1.0)
                        permit.succeeded(1)
        assert slow.state.in_flight == 1
        assert full.state.waiting == 1
        hung.cancelled()
        waiting.cancel()
        assert slow.state.in_flight == 0

    virtual_time.run(main())


def test_places_double_every_round_until_nothing_is_in_the_way() -> None:
    async def main() -> None:
        gate = gate_of()
        started = asyncio.get_running_loop().time()

        async def game() -> None:
            for _ in range(20):
                with await gate.enter(1) as permit:
                    await asyncio.sleep(0.01)
                    permit.succeeded(1)

        await asyncio.gather(*(game() for _ in range(1_000)))
        # Twenty rounds are 0.2 s; from 4 places to 1,000 are eight more.
        assert asyncio.get_running_loop().time() - started < 0.3
        assert gate.state.limit == 1_000

    virtual_time.run(main())


def test_places_that_nobody_needs_do_not_grow() -> None:
    async def main() -> None:
        gate = gate_of()
        for _ in range(100):
            (await gate.enter(1)).succeeded(1)
        assert gate.state.limit == 4

    virtual_time.run(main())


def test_a_permit_ends_once() -> None:
    async def main() -> None:
        gate = gate_of()
        permit = await gate.enter(1)
        permit.succeeded(1)
        with pytest.raises(RuntimeError, match="succeeds, fails or is cancelled once"):
            permit.failed(rate_limited=False, retry_after=None)
        permit.cancelled()
        assert gate.state.in_flight == 0

    virtual_time.run(main())


def test_leaving_a_permit_by_an_exception_gives_the_place_back() -> None:
    async def main() -> None:
        gate = gate_of(concurrency=1)
        with pytest.raises(ZeroDivisionError), await gate.enter(1):
            _ = 1 / 0
        with pytest.raises(ZeroDivisionError), await gate.enter(1):
            _ = 1 / 0
        assert gate.state.in_flight == 0
        assert gate.state.breaker is BreakerState.CLOSED

    virtual_time.run(main())


def test_a_waiter_that_is_cancelled_leaves_nothing_behind() -> None:
    async def main() -> None:
        gate = gate_of(concurrency=1, requests_per_minute=6.0)
        permit = await gate.enter(1)
        waiting = [asyncio.create_task(gate.enter(1)) for _ in range(3)]
        await asyncio.sleep(1.0)
        permit.succeeded(1)
        await asyncio.sleep(1.0)
        assert gate.state.waiting == 3
        for task in waiting:
            task.cancel()
        assert await others() == set()
        assert (gate.state.waiting, gate.state.in_flight) == (0, 0)
        async with asyncio.timeout(10.1):
            await gate.enter(1)

    virtual_time.run(main())


def test_a_waiter_cancelled_in_the_moment_it_is_let_go_gives_the_place_to_the_next() -> None:
    async def main() -> None:
        gate = gate_of(concurrency=1)
        permit = await gate.enter(1)
        first, second = (asyncio.create_task(gate.enter(1)) for _ in range(2))
        await asyncio.sleep(1.0)
        permit.succeeded(1)
        first.cancel()
        async with asyncio.timeout(1.0):
            (await second).succeeded(1)
        assert gate.state.in_flight == 0

    virtual_time.run(main())


def most_in_a_minute(sent: list[tuple[float, float]]) -> float:
    """The most that left in any 60 s, of `(time, amount)` in order of time."""
    window: deque[tuple[float, float]] = deque()
    total = most = 0.0
    for at, amount in sent:
        window.append((at, amount))
        total += amount
        while window[0][0] <= at - 60.0 + 1e-6:
            total -= window.popleft()[1]
        most = max(most, total)
    return most


@pytest.mark.parametrize("per_minute", [2.0, 60.0, 61.5, 100.0, 1_000.0])
def test_no_minute_has_more_requests_than_configured_and_hardly_fewer(per_minute: float) -> None:
    async def main() -> list[tuple[float, float]]:
        gate = gate_of(requests_per_minute=per_minute)
        loop, sent = asyncio.get_running_loop(), []

        async def worker() -> None:
            while loop.time() < 300.0:
                with await gate.enter(1) as permit:
                    sent.append((loop.time(), 1.0))
                    await asyncio.sleep(1.0)
                    permit.succeeded(1)

        await asyncio.gather(*(worker() for _ in range(100)))
        return sent

    sent = [one for one in virtual_time.run(main()) if one[0] < 300.0]
    assert most_in_a_minute(sent) <= per_minute
    assert len(sent) >= 0.95 * 5 * per_minute


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    per_minute=st.floats(1_000, 200_000),
    largest=st.integers(10, 3_000),
)
def test_no_minute_has_more_tokens_than_configured_and_one_call(
    seed: int, per_minute: float, largest: int
) -> None:
    rng = random.Random(seed)

    async def main() -> list[tuple[float, float]]:
        gate = gate_of(tokens_per_minute=per_minute)
        loop, sent = asyncio.get_running_loop(), []

        async def worker() -> None:
            while loop.time() < 150.0:
                tokens = rng.randint(1, largest)
                with await gate.enter(tokens) as permit:
                    sent.append((loop.time(), float(tokens)))
                    await asyncio.sleep(rng.uniform(0.5, 4.0))
                    permit.succeeded(tokens)

        await asyncio.gather(*(worker() for _ in range(20)))
        return sent

    sent = [one for one in virtual_time.run(main()) if one[0] < 150.0]
    assert most_in_a_minute(sent) <= per_minute + largest


def test_tokens_are_counted_as_they_turn_out_not_as_they_were_estimated() -> None:
    async def minutes(estimate: int, actual: int) -> float:
        gate = gate_of(tokens_per_minute=6_000.0)
        for _ in range(60):
            with await gate.enter(estimate) as permit:
                permit.succeeded(actual)
        return asyncio.get_running_loop().time() / 60.0

    # Sixty calls of 500 tokens are five minutes of 6,000, whatever was expected of them.
    for estimate in (100, 500, 2_000):
        assert virtual_time.run(minutes(estimate, 500)) == pytest.approx(5.0, abs=0.4)


def test_what_was_estimated_too_high_is_not_all_spent_at_once() -> None:
    async def main() -> None:
        gate = gate_of(tokens_per_minute=6_100.0)
        large = await gate.enter(5_000)
        (await gate.enter(1)).succeeded(1)
        large.succeeded(0)
        at = asyncio.get_running_loop().time()
        for _ in range(10):
            (await gate.enter(500)).succeeded(500)
        # Of 5,000 tokens a tenth of a minute's is there; the last call of 500 is paid for later.
        assert asyncio.get_running_loop().time() - at == pytest.approx(
            (5_000 - 610 - 500) / 100.0, abs=1.5
        )

    virtual_time.run(main())


def test_a_small_call_does_not_overtake_a_large_one_that_waits_for_tokens() -> None:
    async def main() -> None:
        gate = gate_of(tokens_per_minute=6_100.0)
        left: list[int] = []

        async def call(tokens: int) -> None:
            with await gate.enter(tokens) as permit:
                left.append(tokens)
                permit.succeeded(tokens)

        async with asyncio.TaskGroup() as calls:
            for tokens in (1_000, 2_000, *(1 for _ in range(100))):
                calls.create_task(call(tokens))
                await asyncio.sleep(0.1)
        assert left[:2] == [1_000, 2_000]

    virtual_time.run(main())


def test_a_call_larger_than_the_minute_still_leaves() -> None:
    async def main() -> None:
        gate = gate_of(tokens_per_minute=1_000.0)
        for _ in range(3):
            (await gate.enter(2_000)).succeeded(2_000)
        assert asyncio.get_running_loop().time() == pytest.approx(2 * 2 * 61.0, abs=3.0)

    virtual_time.run(main())


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    concurrency=st.integers(1, 12),
    requests=st.none() | st.floats(30, 5_000),
    tokens=st.none() | st.floats(5_000, 1e6),
)
def test_never_more_in_flight_than_allowed_and_everything_comes_back(
    seed: int, concurrency: int, requests: float | None, tokens: float | None
) -> None:
    rng = random.Random(seed)

    async def main() -> None:
        gate = Limits(
            {"m": ModelLimits(concurrency, requests, tokens)}, rng=random.Random(seed)
        ).gate("m")
        out = 0

        async def call() -> None:
            nonlocal out
            await asyncio.sleep(rng.uniform(0.0, 20.0))
            with await gate.enter(rng.randint(1, 300)) as permit:
                out += 1
                assert out <= gate.state.in_flight <= concurrency
                try:
                    await asyncio.sleep(rng.expovariate(1.0))
                finally:
                    out -= 1
                match rng.randrange(6):
                    case 0:
                        permit.failed(rate_limited=True, retry_after=rng.choice([None, 2.0]))
                    case 1:
                        permit.failed(rate_limited=False, retry_after=None)
                    case 2:
                        permit.failed(rate_limited=False, retry_after=None, model_at_fault=False)
                    case 3:
                        raise ValueError
                    case _:
                        permit.succeeded(rng.choice([None, 50, 500]))

        calls = [asyncio.create_task(call()) for _ in range(60)]
        for task in rng.sample(calls, 20):
            await asyncio.sleep(rng.uniform(0.0, 1.0))
            task.cancel()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        # With as many rate limits as these a model may well be parked.
        known = {type(None), ValueError, asyncio.CancelledError, ModelParked}
        assert {type(end) for end in ended} <= known
        assert await others() == set()
        assert (gate.state.in_flight, gate.state.waiting) == (0, 0)

    virtual_time.run(main())


def test_virtual_hours_pass_at_once_and_a_deadlock_is_said() -> None:
    async def waits() -> float:
        await asyncio.sleep(3_600.0)
        return asyncio.get_running_loop().time()

    async def hangs() -> None:
        await asyncio.get_running_loop().create_future()

    assert virtual_time.run(waits()) == pytest.approx(3_600.0)
    with pytest.raises(RuntimeError, match="no timer is set"):
        virtual_time.run(hangs())
