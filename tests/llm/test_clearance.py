"""Leave to send a call: asked for and given back as plain data, once, whatever becomes of it."""

from __future__ import annotations

import asyncio
import pickle
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from arena.core import (
    BudgetReached,
    CallAnswer,
    CallIntent,
    Completion,
    ModelSpec,
    Pause,
    RecordError,
    Usage,
)
from arena.llm.call import Call, Means
from arena.llm.clearance import CallNeeds, Clearance, Ending, Grant, LocalClearance, Returned
from arena.llm.costs.budget import Budget
from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
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


def test_every_attempt_asks_and_gives_back() -> None:
    ledger = Ledger()

    completion = asyncio.run(call(ledger, Log(), limited, answered).complete())

    assert completion.text == "fine"
    assert ledger.lines == [
        CallNeeds("m", 20, 0.5),
        Returned(1, Ending.FAILED, 0.0, None, True, 2.0, True, "slow down"),
        "wait",
        CallNeeds("m", 20, 0.5),
        Returned(4, Ending.ANSWERED, 0.125, 9),
    ]


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
