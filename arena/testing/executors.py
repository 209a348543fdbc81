"""The promises of `arena.core.execution`, as a check that anybody's executor can be put to.

from arena.testing import check_executor

def test_my_executor_keeps_the_protocol():
    check_executor(MyExecutor)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from arena import registry
from arena.core import RecordError, UsageError
from arena.core.execution import Executor, Slot
from arena.game.journal import JournalEntry, Opened
from arena.game.task import Ports
from arena.llm.clearance import CallNeeds, Ending, Grant, Returned
from arena.llm.client import Client
from arena.llm.providers.protocol import Answer
from arena.testing.conformance import expect

_PIECES = 9
# Turns of the loop in which whatever can begin has begun.
_MOMENTS = 50
_PATIENCE = 60.0
_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ExecutorTask:
    """What is called in the check: a text that hostile tongues may have written, to be handed
    through every port so many times; or an error to be raised."""

    text: str
    times: int = 3
    error: str = ""


class ExecutorPorts:
    """A journal, a clearance and answers that keep what passes through them."""

    def __init__(self, refuses: bool = False) -> None:
        self.entries: list[JournalEntry] = []
        self.diary: list[str] = []
        self.recorded = asyncio.Event()
        self._refuses = refuses

    async def append(self, *entries: JournalEntry) -> None:
        """Takes the entries. Raises RecordError where it was made to."""
        await asyncio.sleep(0)
        if self._refuses:
            raise RecordError("the disk is full")
        self.entries += entries
        self.recorded.set()

    def wanted(self) -> bool:
        """Until something is on record."""
        return not self.entries

    async def ask(self, needs: CallNeeds) -> Grant:
        """Grants everything, in order."""
        self.diary.append(f"asked for {needs.tokens}")
        return Grant(needs.tokens)

    def give_back(self, returned: Returned) -> None:
        """Takes it back."""
        self.diary.append(f"{returned.grant_id} {returned.ending}")

    async def wait(self, seconds: float) -> None:
        """Does not."""
        self.diary.append(f"waited {seconds:g} s")

    async def get(self, request_hash: str) -> Answer | None:
        """Knows no answer."""
        self.diary.append(f"looked for {request_hash!r}")
        return None


async def through_ports(task: ExecutorTask, ports: Ports) -> tuple[str, bool, bool]:
    """Called through a slot: passes the task's text through every port. The text, and whether the
    game was wanted before and after."""
    if task.error:
        raise UsageError(task.error)
    before = ports.journal.wanted()
    for number in range(task.times):
        grant = await ports.clearance.ask(CallNeeds("model", number))
        await ports.journal.append(Opened(number, 0, task.text, _MOMENT))
        ports.clearance.give_back(Returned(grant.grant_id, Ending.ANSWERED))
    await ports.clearance.wait(0.5)
    if ports.answers is not None and await ports.answers.get(task.text) is not None:
        raise UsageError("an answer that nobody gave")
    return task.text, before, ports.journal.wanted()


async def forever(task: ExecutorTask, ports: Ports) -> None:
    """Called through a slot: says that it has begun, and never ends."""
    await ports.journal.append(Opened(0, 0, task.text, _MOMENT))
    await asyncio.Event().wait()


def check_executor(factory: Callable[..., Executor]) -> None:
    """Runs some pieces of work in executors that `factory(concurrency=...)` makes, some of which
    call functions of this module through their slots. Raises ConformanceError with what was found
    and what was expected, TimeoutError for one that hangs."""

    async def all_of_them() -> None:
        async with asyncio.timeout(_PATIENCE):
            await _check_order(factory)
            await _check_error(factory)
            await _check_cancelled(factory)
            await _check_lent(factory)
            await _check_calls(factory)
            await _check_ended_calls(factory)

    asyncio.run(all_of_them())


async def _check_order(factory: Callable[..., Executor]) -> None:
    running, most, started = 0, 0, list[int]()

    async def play(item: int, slot: Slot) -> None:
        nonlocal running, most
        started.append(item)
        running += 1
        most = max(most, running)
        for _ in range(_MOMENTS + item % 4):
            await asyncio.sleep(0)
        running -= 1

    async def late() -> AsyncIterator[int]:
        for item in range(_PIECES):
            await asyncio.sleep(0)
            yield item

    for work in (range(_PIECES), late()):
        started.clear()
        await factory(concurrency=3).run(work, play)
        expect(started == [*range(_PIECES)], f"every piece once, in order; found {started}")
        expect(running == 0, "to return when every piece has ended")
    expect(most <= 3, f"at most as many at once as there are slots: 3; found {most}")


async def _check_error(factory: Callable[..., Executor]) -> None:
    error, begun, cancelled = ValueError("one"), list[int](), list[int]()

    async def play(item: int, slot: Slot) -> None:
        if item == 0:
            for _ in range(_MOMENTS):
                await asyncio.sleep(0)
            raise error
        begun.append(item)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    raised: BaseException | None = None
    try:
        await factory(concurrency=3).run(range(_PIECES), play)
    except ValueError as found:
        raised = found
    expect(raised is error, f"the first exception as it is; found {raised!r}")
    expect(
        sorted(cancelled) == begun,
        f"the others that had begun, {begun}, to be cancelled; found {cancelled}",
    )


async def _check_cancelled(factory: Callable[..., Executor]) -> None:
    begun, cancelled = asyncio.Event(), 0

    async def play(item: int, slot: Slot) -> None:
        nonlocal cancelled
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled += 1

    run = asyncio.ensure_future(factory(concurrency=1).run(range(_PIECES), play))
    await begun.wait()
    run.cancel()
    await asyncio.wait([run])
    expect(run.cancelled(), "a run that is cancelled to say so")
    expect(cancelled == 1, f"what was running to be cancelled with it; found {cancelled} of 1")


async def _check_lent(factory: Callable[..., Executor]) -> None:
    diary = list[int]()

    async def play(item: int, slot: Slot) -> None:
        if item == 0:
            with slot.lent():
                for _ in range(_MOMENTS):
                    await asyncio.sleep(0)
        diary.append(item)

    await factory(concurrency=1).run(range(3), play)
    expect(sorted(diary) == [0, 1, 2], f"what has lent its slot to end as well; found {diary}")


async def _check_calls(factory: Callable[..., Executor]) -> None:
    texts = ["", "plain", "\x00 \ud800 \U0001f600 €", "x" * 300_000]
    found: dict[str, Any] = {}

    async def play(text: str, slot: Slot) -> None:
        theirs = ExecutorPorts()
        result = await slot.call(through_ports, ExecutorTask(text), _ports(theirs))
        found[text] = result, theirs

    await factory(concurrency=2).run(texts, play)
    for text in texts:
        result, theirs = found[text]
        short = repr(text)[:40]
        expect(result == (text, True, False), f"what the call of {short} returned; found {result}")
        expect(
            theirs.entries == [Opened(number, 0, text, _MOMENT) for number in range(3)],
            f"what was recorded of {short}, in order",
        )
        expect(
            theirs.diary
            == [
                *(said for n in range(3) for said in (f"asked for {n}", f"{n} answered")),
                "waited 0.5 s",
                f"looked for {text!r}",
            ],
            f"what else passed the ports for {short}, in order; found {theirs.diary}",
        )


async def _check_ended_calls(factory: Callable[..., Executor]) -> None:
    ends: list[Any] = []

    async def play(item: int, slot: Slot) -> None:
        theirs = ExecutorPorts(refuses=item == 1)
        task = ExecutorTask("text", error="" if item else "no such thing")
        if item < 2:
            try:
                await slot.call(through_ports, task, _ports(theirs))
            except (UsageError, RecordError) as error:
                ends.append((type(error), str(error)))
            return
        call = asyncio.ensure_future(slot.call(forever, task, _ports(theirs)))
        await theirs.recorded.wait()
        call.cancel()
        await asyncio.wait([call])
        ends.append(call.cancelled())

    await factory(concurrency=1).run(range(3), play)
    raised = [(UsageError, "no such thing"), (RecordError, "the disk is full"), True]
    expect(
        ends == raised,
        "a call to raise what its function raises, and what a port raises, and to be cancelled; "
        f"found {ends}",
    )


def _ports(theirs: ExecutorPorts) -> Ports:
    return Ports(theirs, theirs, Client(registry.provider, policy=registry.policy), theirs)
