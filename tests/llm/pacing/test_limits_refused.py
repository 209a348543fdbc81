"""What a rate limit does: all calls wait, fewer leave, and the provider's limits are found."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise

import pytest

from arena.llm.pacing.breaker import BreakerState
from arena.llm.pacing.congestion import Blame, Concurrency, Pace, Refusals
from arena.llm.pacing.limits import Gate, Limits
from torture import virtual_time
from torture.hidden_limits import Shape
from torture.limits import simulate

NEVER = (1e6, 1e6)


def now() -> float:
    return asyncio.get_running_loop().time()


async def busy(gate: Gate, calls: int) -> None:
    """So many calls by so many workers at once, all of them answered after a second."""

    async def call() -> None:
        with await gate.enter(1) as permit:
            await asyncio.sleep(1.0)
            permit.succeeded(1)

    await asyncio.gather(*(call() for _ in range(calls)))


def test_nothing_leaves_before_retry_after_and_not_everything_at_once_after_it() -> None:
    async def main() -> None:
        gate = Limits(rng=random.Random(3)).gate("m")
        await busy(gate, 60)
        refused = await gate.enter(1)
        left: list[float] = []

        async def call() -> None:
            with await gate.enter(1) as permit:
                left.append(now())
                await asyncio.sleep(5.0)
                permit.succeeded(1)

        asked = now()
        refused.failed(rate_limited=True, retry_after=30.0)
        assert gate.state.held >= 30.0
        await asyncio.gather(*(call() for _ in range(20)))
        assert asked + 30.0 <= left[0] <= asked + 33.0
        first = [at for at in left if at < left[0] + 4.0]
        assert len(first) == len(set(first)) >= 10
        assert max(later - at for at, later in pairwise(first)) < 1.0

    virtual_time.run(main())


def test_the_longest_retry_after_counts() -> None:
    async def main() -> None:
        gate = Limits().gate("m")
        permits = [await gate.enter(1) for _ in range(3)]
        for permit, seconds in zip(permits, (5.0, 60.0, 1.0), strict=True):
            permit.failed(rate_limited=True, retry_after=seconds)
        started = now()
        await gate.enter(1)
        assert 60.0 <= now() - started <= 66.0

    virtual_time.run(main())


def test_rate_limits_leave_the_breaker_closed() -> None:
    async def main() -> None:
        gate = Limits().gate("m")
        for _ in range(20):
            (await gate.enter(1)).failed(rate_limited=True, retry_after=1.0)
        assert gate.state.breaker is BreakerState.CLOSED

    virtual_time.run(main())


def concurrency_of(places: int) -> Concurrency:
    concurrency = Concurrency(1_000)
    while concurrency.limit < places:
        concurrency.succeeded(0.0, int(concurrency.limit), 1)
    return concurrency


def test_a_round_of_rate_limits_is_one_decrease() -> None:
    concurrency = concurrency_of(40)
    for number in range(100, 140):
        concurrency.refused(number, newest=140, now=1.0, beside=140 - number)
    assert concurrency.limit == 30.0
    concurrency.refused(141, newest=150, now=2.0, beside=30)
    assert concurrency.limit == pytest.approx(27.9)


def test_places_grow_slowly_where_they_were_refused_and_fast_far_above_it() -> None:
    concurrency = concurrency_of(40)
    concurrency.refused(1, newest=1, now=1.0, beside=40)
    rounds = []
    while concurrency.limit < 100.0:
        before = concurrency.limit
        for _ in range(int(before)):
            concurrency.succeeded(1.0, int(concurrency.limit), 1)
        rounds.append((before, concurrency.limit - before))
    assert all(grown < 0.26 for before, grown in rounds if before < 49.0)
    assert all(grown > 40.0 for before, grown in rounds if before > 50.1)


def test_a_rate_limit_beside_fewer_calls_than_others_had_is_not_for_their_number() -> None:
    concurrency = concurrency_of(40)
    concurrency.succeeded(1.0, 40, 35)
    assert concurrency.refused(1, newest=1, now=2.0, beside=35) is Blame.TIME
    assert concurrency.refused(2, newest=2, now=2.0, beside=36) is Blame.EITHER
    assert concurrency.refused(1_000, newest=1_000, now=100.0, beside=20) is not Blame.TIME


def test_the_rate_comes_back_to_what_was_taken_and_then_goes_beyond() -> None:
    pace, at = Pace(random.Random(1)), 0.0
    assert pace.rate(0.0) == float("inf")
    for number in range(300):
        at = number / 10.0
        pace.sent(at)
    pace.refused(300, newest=300, now=at)
    after = [pace.rate(at + seconds) for seconds in range(0, 41, 4)]
    assert after == sorted(after)
    assert after[0] == pytest.approx(8.5, abs=0.3)
    assert after[2] == pytest.approx(10.0, abs=0.3)
    assert after[4] == pytest.approx(11.5, abs=0.3)
    assert after[-1] > 20.0


def test_where_refusals_are_usual_only_what_was_taken_counts() -> None:
    rates = []
    for sure in (True, False):
        pace = Pace(random.Random(1))
        for number in range(300):
            pace.sent(number / 10.0)
        pace.refused(300, newest=300, now=30.0)
        for number in range(301, 301 + 160):
            pace.sent(30.0 + (number - 300) / 10.0)
        assert pace.rate(46.0) == pytest.approx(11.5, abs=0.3)
        pace.refused(461, newest=461, now=46.0, sure=sure)
        rates.append(pace.rate(46.0))
    assert rates == pytest.approx([0.85 * 10.75, 0.85 * 10.0], abs=0.15)


def test_a_round_of_rate_limits_lowers_the_rate_once() -> None:
    pace = Pace(random.Random(1))
    for number in range(300):
        pace.sent(number / 10.0)
    pace.refused(290, newest=300, now=30.0)
    once = pace.rate(30.0)
    for number in range(291, 301):
        pace.refused(number, newest=300, now=30.0)
    assert pace.rate(30.0) == once
    pace.refused(301, newest=301, now=30.5)
    assert pace.rate(30.5) < 0.95 * once


def test_what_grew_while_nothing_was_sent_is_forgotten_when_the_model_is_back() -> None:
    pace = Pace(random.Random(1))
    for number in range(300):
        pace.sent(number / 10.0)
    pace.refused(300, newest=300, now=30.0)
    assert pace.rate(600.0) > 1_000.0
    pace.resume(600.0)
    assert pace.rate(600.0) == pytest.approx(10.0, abs=0.3)


def test_one_refusal_at_most_halves_the_rate() -> None:
    pace = Pace(random.Random(1))
    for number in range(300):
        pace.sent(number / 10.0)
    pace.refused(300, newest=300, now=30.0)
    # An hour later nothing was sent for long: that is no rate to go on with.
    pace.refused(301, newest=301, now=3_600.0)
    assert pace.rate(3_600.0) == pytest.approx(0.85 * 5.0, abs=0.2)


def test_a_share_that_is_refused_in_calm_times_does_not_speak_of_us() -> None:
    rng = random.Random(5)
    refusals = Refusals()
    spoke = []
    for _ in range(2_000):
        refusals.sent(calm=True)
        if rng.random() < 0.2:
            spoke.append(refusals.refused(calm=True))
    assert spoke[0]
    assert sum(spoke[100:]) < 0.05 * len(spoke[100:])
    for _ in range(10):
        refusals.sent(calm=False)
        last = refusals.refused(calm=False)
    assert last


@pytest.mark.parametrize(
    "shape",
    [
        Shape("requests", requests=600),
        Shape("tokens", requests=6_000, tokens=1_000_000, retry_after=True),
        Shape("concurrency", concurrency=20, retry_after=True),
    ],
    ids=lambda shape: shape.name,
)
def test_hidden_limits_and_an_outage_cost_a_tenth_of_the_time_and_no_call(shape: Shape) -> None:
    done = simulate(shape, "arena", seed=1)
    assert (done.calls, done.given_up) == (6_000, 0)
    assert 1.0 <= done.ratio <= 1.10
    assert done.refused < 0.05 * done.calls


def test_without_a_breaker_the_outage_costs_calls() -> None:
    done = simulate(Shape("requests", requests=600), "AIMD alone", seed=1)
    assert done.given_up > 100


def test_a_provider_without_limits_is_used_to_the_full() -> None:
    done = simulate(Shape("none", outage=NEVER), "arena", seed=1, calls=3_000, workers=100)
    assert (done.given_up, done.refused) == (0, 0)
    assert done.ratio < 1.4


def test_a_provider_that_refuses_whatever_is_sent_is_not_waited_for_for_ever() -> None:
    shape = Shape("overloaded", refusing=0.17, outage=NEVER)
    done = simulate(shape, "arena", seed=1, calls=3_000, workers=100)
    assert done.given_up == 0
    assert done.ratio < 6.0
