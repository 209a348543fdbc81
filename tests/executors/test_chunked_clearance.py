"""Clearance in chunks: whatever happens to workers and drivers, no minute has a tenth more calls
than its limit, and what was sent never costs more than the cap.

Both ends are the real ones. The link between them, the record and the provider are in virtual time.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import BudgetReached, CallIntent, RecordError, WorkerLost
from arena.executors.workers.body import RemotePorts
from arena.executors.workers.served import ServedGame
from arena.game.journal import Intended, JournalEntry, RecordedElsewhere
from arena.game.task import Ports
from arena.llm.chunks import LAPSES, Chunk, ChunkStock, SpareCalls
from arena.llm.clearance import CallNeeds, Ending, LocalClearance, Returned
from arena.llm.costs.budget import Budget
from arena.llm.handed_out import HandedOut
from arena.llm.pacing.limits import Limits, ModelLimits, SentBefore
from tests.clients import client
from torture import virtual_time

WORST = 0.25
NEEDS = CallNeeds("m", 100, WORST)
INTENT = CallIntent(0, 0, 0, "m", (), {}, "hash", WORST)


@dataclass(slots=True)
class Sent:
    """A call on record: its worst case until it is answered; `orphan` when nobody waits for it."""

    game: int
    at: float
    dollars: float = WORST
    answered: bool = False
    orphan: bool = False


@dataclass(slots=True)
class Written:
    """A chunk on record: so many of its calls were `taken` and `returned`."""

    chunk: Chunk
    taken: int = 0
    returned: int = 0

    @property
    def over(self) -> bool:
        return self.taken + self.returned == self.chunk.calls


@dataclass(slots=True)
class Record:
    """What workers have recorded, each for the driver of its `fence`; no other may. `chunks` are
    those on record, by worker and slot; `faults` says what nobody could tell from them."""

    cap: float
    fence: int = 1
    calls: list[Sent] = field(default_factory=list)
    from_chunks: int = 0
    spent: float = 0.0
    at_once: int = 0
    most_at_once: int = 0
    chunks: dict[tuple[str, int], Written] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def take(self, worker: str, chunk_id: int) -> None:
        """A worker sends a call of a chunk: that it was granted is on record."""
        found = [
            each
            for (name, _), each in self.chunks.items()
            if name == worker and each.chunk.chunk_id == chunk_id
        ]
        for written in found:
            written.taken += 1
        if len(found) != 1 or found[0].taken + found[0].returned > found[0].chunk.calls:
            self.faults.append(f"call of chunk {chunk_id} of worker {worker} is sent: {found}")

    def sent(self) -> list[SentBefore]:
        """What was sent, as a driver that begins now reads it."""
        now, here = datetime.now(UTC), asyncio.get_running_loop().time()
        return [SentBefore(now - timedelta(seconds=here - call.at), 80) for call in self.calls]

    def intend(self, game: int, fence: int) -> Sent:
        if fence != self.fence:
            raise RecordError("another process has taken over")
        self.calls.append(Sent(game, asyncio.get_running_loop().time()))
        self.spent += WORST
        assert self.spent <= self.cap + 1e-9, "more is under way than may be spent"
        return self.calls[-1]

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """A call, from when it is sent until it is answered or its worker ends."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            yield
        finally:
            self.at_once -= 1

    def answer(self, call: Sent, dollars: float) -> None:
        self.spent += dollars - call.dollars
        call.answered, call.dollars = True, dollars

    def settle(self, game: int) -> float:
        """The dollars of calls of a game that were in flight."""
        left = [c for c in self.calls if c.game == game and not c.answered and not c.orphan]
        for call in left:
            call.orphan = True
        return sum(call.dollars for call in left)

    def busiest(self, seconds: float) -> int:
        """The most calls in any so many seconds."""
        times = [call.at for call in self.calls]
        first = most = 0
        for last, at in enumerate(times):
            while times[first] <= at - seconds:
                first += 1
            most = max(most, last - first + 1)
        return most


class Book:
    """Where a driver keeps the chunks of its workers: a little later they are on record."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fence = world.record.fence

    async def granted(self, worker: str, slot: int, chunk: Chunk) -> None:
        record, key = self._world.record, (worker, slot)
        await asyncio.sleep(4.0 * self._world.delay())
        if self._fence != record.fence:
            raise RecordError("another process has taken over")
        last = record.chunks.get(key)
        if last is not None and not last.over:
            record.faults.append(f"{chunk} is granted in the slot of {last}, which may be sent")
        record.chunks[key] = Written(chunk)

    def returned(self, worker: str, slot: int, chunk_id: int, calls: int) -> None:
        written = self._world.record.chunks[worker, slot]
        if written.chunk.chunk_id == chunk_id:
            written.returned += calls


class DriversJournal:
    """The driver's side of a game that its worker records."""

    elsewhere = RecordedElsewhere(None, 1)  # type: ignore[arg-type]

    def __init__(self, book: Book | None) -> None:
        self.chunk_book = book

    def wanted(self) -> bool:
        return True

    async def append(self, *entries: JournalEntry) -> None:
        raise AssertionError("the worker records it")

    def count(self, *entries: JournalEntry) -> None:
        pass


class Worker:
    """A worker and the link to it: messages arrive in order, a little later. It may be `killed`,
    and what it has said last is then not heard; or hold still for a while."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fence = world.record.fence
        self.loop = asyncio.get_running_loop()
        self.dead = False
        self.still_until = 0.0
        self.games: dict[int, ServedGame] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.asked: dict[int, asyncio.Future[Any]] = {}
        self.name = str(next(world.names))
        self.handed = HandedOut(
            lambda chunk: self.hear(lambda: self.chunks.add(chunk)),
            lambda model: self.hear(lambda: self.chunks.return_all(model)),
            self.name,
            lambda: len(self.games),
        )
        self.chunks = ChunkStock(lambda *left: self.say(lambda: self.handed.returned(*left)))
        self._heard = self._said = 0.0

    def say(self, message: Callable[[], None]) -> None:
        self._said = max(self._said + 1e-6, self.loop.time() + self.world.delay())
        self.loop.call_at(self._said, lambda: None if self.dead else message())

    def hear(self, message: Callable[[], None]) -> None:
        at = max(self.loop.time() + self.world.delay(), self.still_until)
        self._heard = max(self._heard + 1e-6, at)
        self.loop.call_at(self._heard, lambda: None if self.dead else message())

    def tell(self, message: tuple[int, int, str, Any]) -> None:
        game, request, what, value = message
        if what == "took":
            self.world.record.from_chunks += 1
            self.world.record.take(self.name, value[0].chunk_id)

        def told() -> None:
            if game in self.games:
                self.games[game].asked(request, what, value)
            elif what == "took":
                self.handed.took(value[0], None)

        self.say(told)

    async def ask(self, game: int, what: str, value: Any) -> Any:
        request = len(self.asked)
        waiting = self.asked[request] = self.loop.create_future()
        self.tell((game, request, what, value))
        return await waiting

    def replied(self, message: tuple[Any, ...]) -> None:
        _, request, value, error, *_ = message
        waiting = self.asked[request]
        if not waiting.done():
            if error is None:
                waiting.set_result(value)
            else:
                waiting.set_exception(error)

    async def moment(self) -> None:
        await asyncio.sleep(max(self.world.delay(), self.still_until - self.loop.time()))

    async def play(self, game: int, calls: int) -> None:
        """A game of so many calls, one after another."""
        ports = RemotePorts(self, game, True)  # type: ignore[arg-type]
        rng = self.world.rng
        try:
            for _ in range(calls):
                grant = await ports.ask(NEEDS)
                await self.moment()
                call = self.world.record.intend(game, self.fence)
                self.tell((game, -1, "recorded", [Intended(0, 0, INTENT)]))
                with self.world.record.in_flight():
                    await asyncio.sleep(rng.uniform(0.0, 2.0 * self.world.latency))
                self.world.record.answer(call, WORST * rng.random())
                ending = Returned(grant.grant_id, Ending.ANSWERED, call.dollars, 80)
                ports.give_back(ending)
                await self.moment()
            self.tell((game, -1, "done", (True, calls)))
        except (BudgetReached, RecordError) as error:
            self.tell((game, -1, "done", (False, error)))

    def kill(self) -> None:
        self.dead = True
        for task in self.tasks:
            task.cancel()
        self.handed.gone(sum(not game.ended.done() for game in self.games.values()))
        for game in self.games.values():
            game.lost("it has ended", "1")


@dataclass(slots=True)
class World:
    """A record, and a driver at a time with its workers, who play games of ten calls."""

    record: Record
    rng: random.Random
    per_minute: float | None
    latency: float
    lag: float
    concurrency: int | None
    workers: list[Worker] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    names: Iterator[int] = field(default_factory=itertools.count)
    book: Book | None = None

    def delay(self) -> float:
        return self.rng.uniform(0.0, self.lag)

    async def drive(self, workers: int, games: int) -> None:
        """What one driver does until every game is played or the cap is reached."""
        record = self.record
        for game in {call.game for call in record.calls}:
            record.settle(game)
        budget = Budget(record.cap, spent={"m": record.spent})
        limits = Limits(
            {"m": ModelLimits(self.concurrency, requests_per_minute=self.per_minute)},
            proven=["m"],
            sent={"m": record.sent()},
        )
        self.book = Book(self)
        self.workers = [Worker(self) for _ in range(workers)]
        async with asyncio.TaskGroup() as group:
            for _ in range(games):
                group.create_task(self.games(limits, budget))

    async def games(self, limits: Limits, budget: Budget) -> None:
        while self.left:
            game = self.left.pop()
            with suppress(BudgetReached):
                while not await self.played(game, limits, budget):
                    pass

    async def played(self, game: int, limits: Limits, budget: Budget) -> bool:
        worker = min(self.workers, key=lambda one: len(one.games))
        journal = DriversJournal(self.book)
        try:
            with LocalClearance(limits, budget) as clearance:
                served = ServedGame(
                    game,
                    Ports(journal, clearance, client()),
                    lambda message: worker.hear(lambda: worker.replied(message)),
                    worker.handed,
                    lambda: None,
                )
                worker.games[game] = served
                worker.tasks.append(asyncio.create_task(worker.play(game, 10)))
                try:
                    await served.ended
                finally:
                    del worker.games[game]
                    await served.closed()
        except WorkerLost as lost:
            await asyncio.sleep(self.delay())
            lost.settle(self.record.settle(game))
            return False
        return True

    async def trouble(self, every: float) -> None:
        """Workers are killed and replaced, or hold still, again and again."""
        while True:
            await asyncio.sleep(self.rng.uniform(0.0, 2.0 * every))
            worker = self.rng.choice(self.workers)
            if self.rng.random() < 0.5:
                worker.still_until = worker.loop.time() + self.rng.uniform(0.0, 4.0 * LAPSES)
            else:
                self.workers[self.workers.index(worker)] = Worker(self)
                worker.kill()


def lived_through(
    seed: int,
    *,
    cap: float = 1e6,
    per_minute: float | None = None,
    concurrency: int | None = None,
    workers: int = 4,
    games: int = 300,
    drivers: int = 1,
    every: float = 5.0,
    latency: float = 0.3,
    lag: float = 0.01,
    seconds: float = 100.0,
) -> Record:
    """The record after so many drivers, each of which is ended after an equal part of the time."""
    record = Record(cap)
    world = World(record, random.Random(seed), per_minute, latency, lag, concurrency)
    world.left = [*range(games)]

    async def main() -> None:
        old: list[Worker] = []
        for _ in range(drivers):
            driving = asyncio.create_task(world.drive(workers, 24))
            trouble = asyncio.create_task(world.trouble(every))
            await asyncio.wait([driving], timeout=seconds / drivers)
            done = driving.done()
            for task in (driving, trouble):
                task.cancel()
            await asyncio.gather(driving, trouble, return_exceptions=True)
            if done and driving.exception() is not None:
                raise driving.exception() or AssertionError
            # Its workers live on, and try to go on from their chunks.
            old += world.workers
            record.fence += 1
        for worker in old:
            for task in worker.tasks:
                task.cancel()
            await asyncio.gather(*worker.tasks, return_exceptions=True)

    virtual_time.run(main())
    assert record.faults == []
    return record


@settings(deadline=None, max_examples=8)
@given(
    seed=st.integers(0, 10**6),
    latency=st.sampled_from([0.5, 1.1, 2.0]),
    workers=st.integers(1, 6),
    drivers=st.sampled_from([1, 2, 3, 10]),
    lag=st.sampled_from([0.001, 0.05, 0.5]),
)
def test_no_minute_has_a_tenth_more_calls_than_its_limit(
    seed: int, latency: float, workers: int, drivers: int, lag: float
) -> None:
    # About 24 games with a call every second each.
    per_minute = 1200.0
    record = lived_through(
        seed, per_minute=per_minute, workers=workers, drivers=drivers, lag=lag, latency=latency
    )

    assert record.busiest(60.0) <= 1.1 * per_minute
    assert len(record.calls) > 50


@settings(deadline=None, max_examples=8)
@given(
    seed=st.integers(0, 10**6),
    cap=st.sampled_from([10.0, 60.0, 150.0]),
    workers=st.integers(1, 6),
    drivers=st.sampled_from([1, 2, 3, 10]),
    lag=st.sampled_from([0.001, 0.05, 0.5]),
)
def test_the_cap_is_never_passed(
    seed: int, cap: float, workers: int, drivers: int, lag: float
) -> None:
    record = lived_through(seed, cap=cap, workers=workers, drivers=drivers, lag=lag, every=1.0)

    assert 0.0 < record.spent <= cap


@settings(deadline=None, max_examples=8)
@given(
    seed=st.integers(0, 10**6),
    concurrency=st.sampled_from([3, 12, 20, 23]),
    latency=st.sampled_from([0.01, 0.05, 0.3]),
    workers=st.integers(1, 6),
    lag=st.sampled_from([0.001, 0.05, 0.5]),
)
def test_no_more_calls_are_in_flight_than_may_be(
    seed: int, concurrency: int, latency: float, workers: int, lag: float
) -> None:
    record = lived_through(
        seed, concurrency=concurrency, latency=latency, workers=workers, lag=lag, every=20.0
    )

    assert 0 < record.most_at_once <= concurrency


def test_nothing_that_may_be_spent_is_held_back_for_ever() -> None:
    record = lived_through(1, cap=60.0, lag=0.001)

    assert record.spent > 60.0 - 2 * WORST
    assert record.from_chunks > 20


def test_most_calls_are_sent_without_asking_while_nothing_is_short() -> None:
    record = lived_through(1, every=1e9, latency=0.05, games=120)

    assert len(record.calls) == 120 * 10
    assert record.from_chunks > 800


def test_what_an_ended_worker_sent_without_telling_is_spent_and_the_rest_is_free() -> None:
    async def main() -> tuple[float, float]:
        limits, budget = Limits(proven=["m"]), Budget(1000.0)
        clearance, sent = LocalClearance(limits, budget), []
        handed = HandedOut(sent.append, lambda model: None, "1", lambda: 6)
        for at in range(20):
            handed.called(clearance, NEEDS, at / 100)
        await asyncio.sleep(0)
        assert sent[0].calls > 0
        # Later calls of its games may be larger.
        assert budget.reserved == sent[0].calls * 1.25 * WORST

        handed.gone(games=2)
        handed.settle(0.0)
        assert budget.reserved > 0.0, "another game may have sent some"
        handed.settle(WORST)
        assert limits.gate("m").state.in_flight == 0
        return budget.spent, budget.reserved

    assert asyncio.run(main()) == (WORST, 0.0)


def test_a_worker_that_was_stopped_sends_nothing_of_a_chunk_that_has_lapsed() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        left: list[tuple[int, int]] = []
        chunks = ChunkStock(lambda *those: left.append(those))
        chunks.add(Chunk(1, NEEDS, 3, 3, loop.time() + 1.0, 1, 100))
        assert chunks.take(NEEDS) is not None
        assert chunks.take(CallNeeds("m", 101, WORST)) is None, "a call that needs more asks"
        assert isinstance(loop, virtual_time.VirtualTimeLoop)
        loop.hold(5.0)
        assert chunks.take(NEEDS) is None
        await asyncio.sleep(0.1)
        assert left == [(1, 2)]

        # It hears late of one that was granted while it stood still.
        chunks.add(Chunk(2, NEEDS, 3, 3, loop.time() - 1.0, 1, 100))
        assert chunks.take(NEEDS) is None
        await asyncio.sleep(0.1)
        assert left == [(1, 2), (2, 3)]

    virtual_time.run(main())


def test_who_waits_gets_what_others_hold_in_chunks() -> None:
    async def main() -> None:
        limits = Limits({"m": ModelLimits(concurrency=4)}, proven=["m"])
        gate = limits.gate("m")
        spare = await SpareCalls.held(limits, None, NEEDS, 100, 24)
        assert spare is not None
        assert (spare.left, spare.places) == (100, 2), "half of the places that are free"
        gate.on_shortage.add(spare.drop)
        for _ in range(2):
            assert gate.enter_now(100) is not None
        assert gate.enter_now(100) is None
        async with asyncio.timeout(1.0):
            await gate.enter(100)
        assert (spare.left, spare.places, gate.state.in_flight) == (0, 0, 3)

    virtual_time.run(main())


def test_of_a_chunk_no_more_calls_are_in_flight_than_it_has_places() -> None:
    async def main() -> None:
        limits = Limits({"m": ModelLimits(concurrency=8)}, proven=["m"])
        gate = limits.gate("m")
        spare = await SpareCalls.held(limits, None, NEEDS, 6, 24)
        assert spare is not None
        # A model that is new is asked four calls at once.
        assert (spare.left, spare.places) == (6, 2)
        chunks = ChunkStock(lambda *_: None)
        until = asyncio.get_running_loop().time() + LAPSES
        chunks.add(Chunk(1, NEEDS, spare.left, spare.places, until, 1, 100))

        first, second = chunks.take(NEEDS), chunks.take(NEEDS)
        assert first is not None
        assert second is not None
        assert chunks.take(NEEDS) is None, "who asks now waits in turn"
        permits = [spare.take(NEEDS)[0] for _ in range(2)]
        assert [gate.enter_now(100) is None for _ in range(3)] == [False, False, True]

        # When one ends its place is for the next of the chunk, and for nobody else.
        chunks.ended(first[1].grant_id)
        spare.ending()
        permits[0].cancelled()
        assert gate.enter_now(100) is None
        assert chunks.take(NEEDS) is not None
        assert chunks.take(NEEDS) is None
        spare.take(NEEDS)
        assert (spare.left, spare.places, gate.state.in_flight) == (3, 0, 4)

    virtual_time.run(main())


def test_the_places_of_a_game_that_fails_stay_with_its_worker() -> None:
    async def main() -> None:
        limits, sent = Limits(proven=["m"]), []
        gate = limits.gate("m")
        handed = HandedOut(sent.append, lambda model: None, "1", lambda: 2)
        with LocalClearance(limits, Budget(1000.0)) as clearance:
            began = asyncio.get_running_loop().time()
            for at in range(20):
                handed.called(clearance, NEEDS, began + at / 100)
            await asyncio.sleep(0)
            chunks = ChunkStock(lambda *_: None)
            chunks.add(sent[0])
            game = ServedGame(
                1, Ports(DriversJournal(None), clearance, client()), print, handed, print
            )
            while (found := chunks.take(NEEDS)) is not None:
                game.asked(-1, "took", (found[0], 0.0))
            assert gate.state.in_flight == sent[0].at_once == 2
            await game.closed()
        # Its calls may end there, and the one that is left go in a place of theirs, before anybody
        # says so: of four places three are free.
        assert (gate.state.in_flight, gate.state.limit) == (0, 4)
        assert [gate.enter_now(100) is None for _ in range(4)] == [False, False, False, True]

    asyncio.run(main())
