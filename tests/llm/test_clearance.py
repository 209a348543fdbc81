"""Leave to send a call: asked for and given back as plain data, once, whatever becomes of it."""

from __future__ import annotations

import asyncio
import pickle
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from arena.core import (
    BudgetReached,
    CallAnswer,
    CallIntent,
    Completion,
    ContextOverflow,
    ModelSpec,
    Pause,
    RecordError,
    Usage,
)
from arena.llm.call import Call, Means
from arena.llm.clearance import CallNeeds, Clearance, Ending, Grant, LocalClearance, Returned
from arena.llm.costs.budget import Budget
from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import RULES, FaultKind
from arena.llm.failures.retry import Backoff
from arena.llm.pacing.limits import Limits, ModelLimits
from arena.llm.providers.protocol import Answer

WANTED = CallNeeds("m", 100, 0.25)


def one_at_a_time() -> Limits:
    return Limits({"m": ModelLimits(concurrency=1)})


def test_what_is_asked_and_given_back_is_plain_data() -> None:
    for value in (
        WANTED,
        Grant(3, probe=True),
        Returned(3, Ending.FAILED, 0.1, None, True, 2.5, False, "wait"),
    ):
        assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize(
    ("ending", "charged", "spent"),
    [
        (Ending.ANSWERED, 0.1, 0.1),
        (Ending.FAILED, 0.0, 0.0),
        (Ending.UNSENT, 0.0, 0.0),
        (Ending.LOST, 0.0, 0.25),
    ],
)
def test_a_grant_frees_its_slot_and_counts_what_it_cost(
    ending: Ending, charged: float, spent: float
) -> None:
    async def main() -> None:
        budget, limits = Budget(1.0), one_at_a_time()
        clearance = LocalClearance(limits, budget)
        grant = await clearance.ask(WANTED)
        assert budget.reserved == 0.25
        assert limits.states()[0].in_flight == 1

        clearance.give_back(Returned(grant.grant_id, ending, charged=charged))

        assert (budget.reserved, budget.spent) == (0.0, spent)
        assert limits.states()[0].in_flight == 0
        with pytest.raises(RuntimeError, match="grant 1 is not open"):
            clearance.give_back(Returned(grant.grant_id, ending))

    asyncio.run(main())


def test_what_a_game_leaves_open_counts_as_spent_when_it_ends() -> None:
    async def main() -> None:
        budget, limits = Budget(1.0), one_at_a_time()
        with LocalClearance(limits, budget) as clearance:
            await clearance.ask(WANTED)
        assert (budget.reserved, budget.spent) == (0.0, 0.25)
        assert limits.states()[0].in_flight == 0

    asyncio.run(main())


@pytest.mark.parametrize("full", ["gate", "budget"])
def test_who_is_cancelled_while_it_waits_has_taken_nothing(full: str) -> None:
    async def main() -> None:
        budget = Budget(0.3)
        limits = one_at_a_time() if full == "gate" else Limits()
        clearance = LocalClearance(limits, budget)
        first = await clearance.ask(WANTED)
        waiting = asyncio.create_task(clearance.ask(WANTED))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

        assert limits.states()[0].in_flight == 1
        assert budget.reserved == 0.25
        clearance.give_back(Returned(first.grant_id, Ending.UNSENT))
        assert limits.states()[0].in_flight == 0
        assert budget.reserved == budget.spent == 0.0

    asyncio.run(main())


def test_a_budget_that_refuses_gives_the_permit_back() -> None:
    async def main() -> None:
        limits = one_at_a_time()
        with pytest.raises(BudgetReached, match=r"\$0.1 are spent|of \$0.1"):
            await LocalClearance(limits, Budget(0.1)).ask(WANTED)
        assert limits.states()[0].in_flight == 0

    asyncio.run(main())


def test_the_game_says_how_it_waits() -> None:
    async def stopping(wait: Awaitable[Any]) -> Any:
        asyncio.ensure_future(wait).cancel()
        raise Pause("the run is stopping")

    async def main() -> None:
        clearance = LocalClearance(one_at_a_time(), waiting=stopping)
        grant = await clearance.ask(WANTED)
        for waits in (clearance.ask(WANTED), clearance.wait(60.0)):
            with pytest.raises(Pause, match="stopping"):
                await waits
        clearance.give_back(Returned(grant.grant_id, Ending.UNSENT))
        await asyncio.sleep(0)

    asyncio.run(main())


class Ledger:
    """A clearance that grants at once and writes everything down."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    async def ask(self, needs: CallNeeds) -> Grant:
        self.lines.append(needs)
        return Grant(len(self.lines))

    def give_back(self, returned: Returned) -> None:
        self.lines.append(returned)

    async def wait(self, seconds: float) -> None:
        self.lines.append("wait")


class Provider:
    """Answers as it is told to."""

    model = ModelSpec("m", "openai/m", params={"max_tokens": 10})
    free = False

    def __init__(self, *answers: Callable[[], Awaitable[Answer]]) -> None:
        self.answers = list(answers)

    async def ask(self, messages: Any, seed: int | None) -> Answer:
        return await self.answers.pop(0)()

    def fault(self, error: Exception) -> Fault:
        assert isinstance(error, Fault)
        return error

    def worst(self, messages: Any) -> float | None:
        return 0.5

    def cost(self, usage: Usage) -> float | None:
        return 0.125


class Log:
    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    async def intend(self, intent: CallIntent) -> None:
        if self.broken:
            raise RecordError("disk full")

    async def answer(self, answer: CallAnswer) -> None: ...


def call(clearance: Clearance, log: Log, *answers: Callable[[], Awaitable[Answer]]) -> Call:
    return Call(
        Means(retries=2, deadline=60.0, backoff=Backoff(), rng=random.Random(0)),
        Provider(*answers),
        messages=[{"role": "user", "content": "x" * 40}],
        request={},
        request_hash="h",
        log=log,
        clearance=clearance,
    )


async def answered() -> Answer:
    return Answer(Completion("fine", "stop", Usage(7, 2)), "m", {})


async def limited() -> Answer:
    raise Fault("RateLimit", "slow down", kind=FaultKind.RATE_LIMIT, retry_after=2.0)


SLOWER = RULES[FaultKind.RATE_LIMIT].advice


def test_every_attempt_asks_and_gives_back() -> None:
    ledger = Ledger()

    completion = asyncio.run(call(ledger, Log(), limited, answered).complete())

    assert completion.text == "fine"
    assert ledger.lines == [
        CallNeeds("m", 20, 0.5),
        Returned(1, Ending.FAILED, 0.0, None, True, 2.0, True, "slow down", SLOWER),
        "wait",
        CallNeeds("m", 20, 0.5),
        Returned(4, Ending.ANSWERED, 0.125, 9),
    ]


class Passing(Ledger):
    """Grants to a model that answers others meanwhile, the largest of `largest` tokens."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self.largest = largest

    async def ask(self, needs: CallNeeds) -> Grant:
        return replace(await super().ask(needs), answered=len(self.lines), largest=self.largest)


async def would_exceed() -> Answer:
    raise Fault("RateLimit", "would exceed your rate limit", kind=FaultKind.RATE_LIMIT)


def test_a_request_that_is_refused_while_only_smaller_ones_pass_is_given_up() -> None:
    with pytest.raises(ContextOverflow, match="refused 11 times, while smaller requests passed"):
        asyncio.run(call(Passing(19), Log(), *[would_exceed] * 30).complete())


@pytest.mark.parametrize("clearance", [Passing(20), Ledger()])
def test_a_limit_that_as_large_a_request_passed_or_none_does_is_waited_for(
    clearance: Clearance,
) -> None:
    asked = call(clearance, Log(), *[would_exceed] * 30, answered)
    assert asyncio.run(asked.complete()).text == "fine"


def test_an_attempt_that_cannot_be_recorded_is_not_sent_and_gives_back() -> None:
    ledger = Ledger()

    with pytest.raises(RecordError):
        asyncio.run(call(ledger, Log(broken=True)).complete())

    assert ledger.lines[1:] == [Returned(1, Ending.UNSENT)]


def test_an_attempt_that_is_cancelled_gives_back_as_lost() -> None:
    ledger = Ledger()

    async def main() -> None:
        sent = asyncio.Event()

        async def hangs() -> Answer:
            sent.set()
            await asyncio.Event().wait()
            raise AssertionError

        asking = asyncio.create_task(call(ledger, Log(), hangs).complete())
        await sent.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(main())

    assert ledger.lines[1:] == [Returned(1, Ending.LOST)]
