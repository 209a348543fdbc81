"""A cap holds whatever runs at once; who waits is served in order and nobody is forgotten."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import BudgetReached, UsageError
from arena.llm.costs.budget import Budget, Reservation


def run(work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await work()

    asyncio.run(main())


async def settle_down() -> None:
    """Lets every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_is_set_aside_is_settled_for_what_was_charged() -> None:
    async def work() -> None:
        budget = Budget(1.0)
        with await budget.reserve("mini", 0.4) as reservation:
            assert (budget.spent, budget.reserved, budget.left) == (0.0, 0.4, 0.6)
            assert reservation.amount == 0.4
            reservation.settle(0.1)
        assert (budget.spent, budget.reserved, budget.left) == (0.1, 0.0, 0.9)

    run(work)


def test_what_may_have_been_sent_counts_whole_and_what_was_never_sent_not_at_all() -> None:
    async def work() -> None:
        budget = Budget(1.0)
        with pytest.raises(asyncio.CancelledError), await budget.reserve("mini", 0.25):
            raise asyncio.CancelledError
        assert budget.spent == 0.25
        (await budget.reserve("mini", 0.25)).release()
        assert (budget.spent, budget.reserved) == (0.25, 0.0)

    run(work)


def test_a_reservation_ends_once() -> None:
    async def work() -> None:
        reservation = await Budget(1.0).reserve("mini", 0.1)
        reservation.settle(0.1)
        with pytest.raises(RuntimeError, match="before"):
            reservation.release()

    run(work)


@pytest.mark.parametrize("charged", [math.nan, -1.0, math.inf])
def test_a_charge_that_is_no_number_of_dollars_counts_as_the_worst_case(charged: float) -> None:
    async def work() -> None:
        budget = Budget(1.0)
        (await budget.reserve("mini", 0.5)).settle(charged)
        assert budget.spent == 0.5

    run(work)


def test_a_call_that_can_never_fit_is_told_so_at_once_and_what_to_type() -> None:
    async def work() -> None:
        budget = Budget(5.0, spent={"mini": 4.996})
        with pytest.raises(BudgetReached) as caught:
            await budget.reserve("mini", 0.01)
        assert str(caught.value) == (
            "the budget is reached: $4.9960 of $5 are spent, and the next call to model 'mini' "
            "may cost $0.0100\n"
            "Raise `budget` in the configuration, or --budget, and run the command again: it "
            "resumes."
        )

    run(work)


def test_a_call_waits_while_others_may_come_back_cheaper() -> None:
    async def work() -> None:
        budget = Budget(1.0)
        first = await budget.reserve("mini", 0.8)
        second = asyncio.create_task(budget.reserve("mini", 0.8))
        await settle_down()
        assert not second.done()
        first.settle(0.2)
        (await second).settle(0.8)
        assert budget.spent == 1.0

    run(work)


def test_a_waiting_call_learns_that_it_cannot_fit_any_more() -> None:
    async def work() -> None:
        budget = Budget(1.0)
        first = await budget.reserve("mini", 0.8)
        second = asyncio.create_task(budget.reserve("mini", 0.8))
        await settle_down()
        first.settle(0.8)
        with pytest.raises(BudgetReached):
            await second
        assert budget.reserved == 0.0

    run(work)


def test_who_comes_first_is_served_first_even_if_a_later_one_would_fit() -> None:
    async def work() -> None:
        budget = Budget(1.0)
        order: list[str] = []

        async def call(name: str, worst: float) -> None:
            with await budget.reserve("mini", worst) as reservation:
                order.append(name)
                await settle_down()
                reservation.settle(0.0)

        first = await budget.reserve("mini", 0.9)
        tasks = [
            asyncio.create_task(call("large", 0.9)),
            asyncio.create_task(call("small", 0.05)),
        ]
        await settle_down()
        assert order == []
        first.settle(0.0)
        await asyncio.gather(*tasks)
        assert order == ["large", "small"]

    run(work)


def test_a_model_at_its_own_cap_does_not_hold_up_the_others() -> None:
    async def work() -> None:
        budget = Budget(10.0, per_model={"dear": 1.0})
        first = await budget.reserve("dear", 0.9)
        waiting = asyncio.create_task(budget.reserve("dear", 0.9))
        await settle_down()
        async with asyncio.timeout(1):
            (await budget.reserve("cheap", 5.0)).settle(5.0)
        assert not waiting.done()
        first.settle(0.1)
        (await waiting).settle(0.9)
        assert budget.account("dear").left == 0.0
        with pytest.raises(BudgetReached, match="budget of model 'dear'"):
            await budget.reserve("dear", 0.01)
        assert budget.account("cheap").cap is None
        assert budget.spent == 6.0

    run(work)


@pytest.mark.parametrize("granted_before", [False, True])
def test_a_cancelled_wait_leaves_nothing_behind_and_wakes_the_next(granted_before: bool) -> None:
    async def work() -> None:
        budget = Budget(1.0)
        first = await budget.reserve("mini", 1.0)
        cancelled = asyncio.create_task(budget.reserve("mini", 1.0))
        after = asyncio.create_task(budget.reserve("mini", 0.5))
        await settle_down()
        if granted_before:
            first.settle(0.0)  # granted, and cancelled before it could see so
            cancelled.cancel()
        else:
            cancelled.cancel()
            first.settle(0.0)
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        (await after).settle(0.5)
        assert (budget.spent, budget.reserved) == (0.5, 0.0)

    run(work)


def test_without_a_cap_nobody_waits_and_what_is_spent_is_still_known() -> None:
    async def work() -> None:
        budget = Budget()
        assert not budget.capped
        for _ in range(3):
            (await budget.reserve("mini", None)).settle(0.5)
        assert budget.spent == 1.5
        assert budget.left is None
        assert budget.account("mini").spent == 1.5

    run(work)


def test_an_unknown_worst_case_is_refused_under_a_cap() -> None:
    async def work() -> None:
        with pytest.raises(UsageError, match="input_price"):
            await Budget(1.0).reserve("mini", None)
        with pytest.raises(UsageError, match="input_price"):
            await Budget(per_model={"mini": 1.0}).reserve("mini", None)
        (await Budget(per_model={"other": 1.0}).reserve("mini", None)).settle(0.0)

    run(work)


@pytest.mark.parametrize("cap", [-1.0, math.nan, math.inf])
def test_a_cap_that_is_no_number_of_dollars_is_refused(cap: float) -> None:
    with pytest.raises(UsageError, match="0 or more"):
        Budget(cap)
    with pytest.raises(UsageError, match="'mini'"):
        Budget(per_model={"mini": cap})


def test_many_small_sums_add_up_exactly() -> None:
    async def work() -> None:
        budget = Budget(0.3)
        for _ in range(3):
            (await budget.reserve("mini", 0.1)).settle(0.1)
        assert budget.left == 0.0

    run(work)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.5, 5.0), st.booleans())
def test_the_cap_is_never_passed_and_nobody_is_forgotten(
    seed: int, total: float, by_model: bool
) -> None:
    rng = random.Random(seed)
    per_model = {"a": total / 2} if by_model else {}

    async def work() -> None:
        budget = Budget(total, per_model=per_model)
        charges = {"a": 0.0, "b": 0.0}

        def check() -> None:
            assert budget.spent + budget.reserved <= total * (1 + 1e-12)
            for model, cap in per_model.items():
                account = budget.account(model)
                assert account.spent + account.reserved <= cap * (1 + 1e-12)

        async def call() -> None:
            model = rng.choice("ab")
            worst = rng.choice([0.0, 0.01, 0.1, 0.5]) * rng.random()
            try:
                reservation: Reservation = await budget.reserve(model, worst)
            except BudgetReached:
                return
            with reservation:
                check()
                for _ in range(rng.randrange(4)):
                    await asyncio.sleep(0)
                end = rng.randrange(4)
                if end == 0:
                    charges[model] += worst
                    raise asyncio.CancelledError
                if end == 1:
                    reservation.release()
                else:
                    charged = worst * rng.random()
                    charges[model] += charged
                    reservation.settle(charged)
            check()

        tasks = []
        for _ in range(60):
            tasks.append(asyncio.create_task(call()))
            if rng.random() < 0.3:
                await asyncio.sleep(0)
            if rng.random() < 0.2:
                # Only who waits for its turn: what is sent is cancelled above.
                waiting = [task for task in tasks if not task.done() and budget._waiting]
                if waiting and len(budget._waiting) == len(waiting):
                    rng.choice(waiting).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert budget.reserved == 0.0
        assert budget.spent == pytest.approx(sum(charges.values()), abs=1e-9)
        check()

    run(work)


def test_the_first_call_to_a_model_is_sent_alone_while_money_is_short() -> None:
    budget = Budget(1.0)
    first = budget.reserve_now("m", 0.02)
    assert first is not None
    assert budget.reserve_now("m", 0.02) is None, "it may charge more than its limit allows"
    assert budget.reserve_now("other", 0.02) is not None
    assert budget.reserve_now("m", 0.001) is not None, "hundreds of such calls would fit"
    first.settle(0.01)
    assert budget.reserve_now("m", 0.02) is not None
    known = Budget(1.0, spent={"m": 0.1})
    assert known.reserve_now("m", 0.02) is not None
    assert known.reserve_now("m", 0.02) is not None


def test_what_a_call_charged_beyond_its_worst_case_is_set_aside_for_those_under_way() -> None:
    budget = Budget(1.0, spent={"m": 0.1})
    first, second = (budget.reserve_now("m", 0.1) for _ in range(2))
    assert first is not None
    assert second is not None
    first.settle(0.45)
    assert budget.beyond == {"m": pytest.approx(0.35)}
    assert budget.reserved == pytest.approx(0.45), "the second may cost as much more"
    assert budget.reserve_now("m", 0.05) is None
    second.settle(0.05)
    assert budget.spent == pytest.approx(0.6)
    assert budget.reserved == 0.0
    assert budget.reserve_now("m", 0.05) is not None
