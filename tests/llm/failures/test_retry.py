"""How long the waits are, what uses up an attempt, and when patience ends."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.failures.retry import Backoff, again


def fault(
    kind: FaultKind = FaultKind.SERVER, *, wait: float | None = None, probe: bool = False
) -> Fault:
    return Fault("X", "x", kind=kind, retry_after=wait, probe=probe)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self) -> float:
        return self.now


def go_on(
    outcomes: Sequence[str | Fault], clock: Clock, *, retries: int = 4, patience: float = 600.0
) -> str:
    """What `again` makes of these outcomes, the first of which is a fault."""
    left = list(outcomes)

    async def attempt() -> str:
        outcome = left.pop(0)
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    async def main() -> str:
        first = left.pop(0)
        assert isinstance(first, Fault)
        return await again(
            first,
            attempt,
            retries=retries,
            backoff=Backoff(base=0.5),
            rng=random.Random(0),
            sleep=clock.sleep,
            patience=patience,
            clock=clock,
        )

    return asyncio.run(main())


def test_the_wait_doubles_with_jitter_and_has_a_limit() -> None:
    backoff, rng = Backoff(base=1.0, longest=10.0), random.Random(1)
    for attempts, full in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (5000, 10.0)]:
        assert full / 2 <= backoff.seconds(fault(), attempts, rng) <= full


def test_the_same_generator_gives_the_same_waits() -> None:
    waits = [Backoff().seconds(fault(), 3, random.Random(5)) for _ in range(2)]
    assert waits[0] == waits[1]


def test_what_a_provider_asks_for_is_waited_up_to_a_limit() -> None:
    backoff, rng = Backoff(base=0.5, longest=60.0), random.Random(0)
    assert 7.0 <= backoff.seconds(fault(wait=7.0), 1, rng) <= 7.5
    assert 60.0 <= backoff.seconds(fault(wait=3000.0), 1, rng) <= 60.5


def test_after_a_first_failure_it_goes_on_until_an_answer() -> None:
    clock = Clock()
    assert go_on([fault(wait=3.0), fault(), "answer"], clock) == "answer"
    first, second = clock.slept
    assert 3.0 <= first <= 3.5, "the first failure's Retry-After counts too"
    assert 0.5 <= second <= 1.0


def test_the_last_failure_is_raised_when_the_attempts_are_used_up() -> None:
    faults = [fault() for _ in range(3)]
    with pytest.raises(Fault) as caught:
        go_on([*faults, "never"], Clock(), retries=2)
    assert caught.value is faults[2]


@pytest.mark.parametrize(
    "kind", [FaultKind.REQUEST, FaultKind.CONTEXT, FaultKind.KEY, FaultKind.CREDIT, FaultKind.MODEL]
)
def test_what_cannot_get_better_is_raised_at_once(kind: FaultKind) -> None:
    clock = Clock()
    hopeless = fault(kind)
    with pytest.raises(Fault) as caught:
        go_on([hopeless, "never"], clock)
    assert caught.value is hopeless
    with pytest.raises(Fault):
        go_on([fault(), fault(kind), "never"], clock)
    assert len(clock.slept) == 1


def test_being_told_to_wait_uses_up_no_attempt() -> None:
    told = [fault(FaultKind.RATE_LIMIT, wait=1.0), fault(FaultKind.OVERLOADED)] * 10
    assert go_on([*told, fault(), "answer"], Clock(), retries=1) == "answer"


def test_a_probe_uses_up_no_attempt() -> None:
    probes = [fault(probe=True) for _ in range(20)]
    clock = Clock()
    assert go_on([*probes, fault(), "answer"], clock, retries=1) == "answer"
    assert max(clock.slept[:20]) <= 0.5, "whoever sends probes spaces them"


def test_what_the_gate_waits_is_not_waited_again() -> None:
    clock = Clock()
    held = fault(FaultKind.RATE_LIMIT, wait=3600.0)
    held.held = True
    assert go_on([held, "answer"], clock) == "answer"
    assert clock.now <= 0.5


def test_patience_ends_before_a_wait_that_would_outlast_it() -> None:
    clock = Clock()
    waits = [fault(FaultKind.RATE_LIMIT, wait=25.0) for _ in range(10)]
    with pytest.raises(Fault) as caught:
        go_on(waits, clock, patience=100.0)
    assert caught.value is waits[3]
    assert clock.now <= 100.0


def test_a_cancelled_wait_is_cancelled() -> None:
    async def never(_: float) -> None:
        raise asyncio.CancelledError

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await again(
                fault(),
                lambda: asyncio.sleep(0, "never"),
                retries=5,
                backoff=Backoff(),
                rng=random.Random(0),
                sleep=never,
            )

    asyncio.run(main())
