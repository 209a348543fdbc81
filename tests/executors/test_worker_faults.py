"""Workers and plug-ins that misbehave: the run is told, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from arena import registry
from arena.config import TournamentConfig
from arena.core import ArenaError, UsageError, WorkerLost
from arena.core.execution import Slot, always
from arena.executors.auto import AutoExecutor
from arena.executors.local import LocalExecutor
from arena.executors.processes.executor import ProcessExecutor
from arena.executors.processes.process import WorkerProcess
from arena.executors.workers.pool import WorkerNotStarted, WorkerPool
from arena.executors.workers.served import ServedGame
from arena.game.journal import Journal, JournalEntry, RecordedElsewhere
from arena.game.task import Ports
from arena.llm.clearance import CallNeeds
from arena.llm.handed_out import HandedOut
from arena.orchestrator import run
from arena.record.writing import Meter
from arena.testing.executors import ExecutorPorts
from tests.clients import client
from tests.executors import probes
from torture.worker_processes import living

pytestmark = pytest.mark.slow

T = TypeVar("T")

PATIENCE = 30.0


def ports(answers: Any = None) -> Ports:
    theirs = ExecutorPorts()
    return Ports(theirs, theirs, client(), answers)


def called(
    executor: ProcessExecutor | AutoExecutor,
    play: Callable[[Any, Ports], Awaitable[Any]],
    task: Any,
    answers: Any = None,
) -> Any:
    """What one task came to: what was returned, or raised."""
    found: list[Any] = []

    async def one(task: Any, slot: Slot) -> None:
        try:
            found.append(await slot.call(play, task, ports(answers)))
        except Exception as error:
            found.append(error)

    async def main() -> None:
        async with asyncio.timeout(PATIENCE):
            await executor.run([task], one)

    asyncio.run(main())
    return found[0]


def one_worker() -> ProcessExecutor:
    return ProcessExecutor(concurrency=1)


def test_a_worker_that_ends_while_the_others_are_ended_holds_up_nothing() -> None:
    async def main() -> list[Any]:
        pool = WorkerPool(3, WorkerProcess.started, [])
        await pool.start()
        theirs = [ports() for _ in range(3)]
        games = [asyncio.ensure_future(pool.call(probes.waits, "task", each)) for each in theirs]
        async with asyncio.timeout(PATIENCE):
            for each in theirs:
                assert isinstance(each.journal, ExecutorPorts)
                await each.journal.recorded.wait()
            os.kill(int(pool._workers[2].name), signal.SIGKILL)
            await pool._fail(ArenaError("enough"))
            ended = await asyncio.gather(*games, return_exceptions=True)
            with pytest.raises(ArenaError, match="enough"):
                await pool.call(probes.who, "task", ports())
            await pool.close()
        return ended

    assert [type(each) for each in asyncio.run(main())] == [WorkerLost] * 3


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Inside, this process can open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_worker_that_cannot_be_replaced_stops_the_run() -> None:
    async def main() -> None:
        pool = WorkerPool(1, WorkerProcess.started, [])
        await pool.start()
        try:
            with pytest.raises(WorkerLost):
                await pool.call(probes.dies, "task", ports())
            with no_descriptors(), pytest.raises(UsageError, match="no worker process can be"):
                async with asyncio.timeout(PATIENCE):
                    await pool.call(probes.who, "task", ports())
        finally:
            await pool.close()

    asyncio.run(main())


def test_workers_that_end_before_they_can_play_are_tried_again_until_the_third_in_a_row() -> None:
    died = 0

    async def start(*told: Any) -> WorkerProcess:
        nonlocal died
        died += 1
        if died <= 2:
            raise WorkerNotStarted("the worker ended")
        return await WorkerProcess.started(*told)

    async def never(*told: Any) -> WorkerProcess:
        raise WorkerNotStarted("the worker ended")

    async def main() -> None:
        pool, hopeless = WorkerPool(1, start, []), WorkerPool(2, never, [])
        await pool.start()
        try:
            assert await pool.call(probes.who, "task", ports())
            with pytest.raises(UsageError, match="the worker ended"):
                await hopeless.start()
        finally:
            await hopeless.close()
            await pool.close()

    asyncio.run(main())
    assert died == 3


def test_a_worker_that_never_starts_is_told_and_the_others_play_on() -> None:
    """One machine of many, whose disk is full, say."""
    news: list[str] = []
    first = True

    async def start(*told: Any) -> WorkerProcess:
        nonlocal first
        if first:
            first = False
            return await WorkerProcess.started(*told)
        raise WorkerNotStarted("no worker starts on the node far")

    async def main() -> None:
        pool = WorkerPool(2, start, news)
        await pool.start()
        try:
            assert await pool.call(probes.who, "task", ports())
        finally:
            await pool.close()

    asyncio.run(main())
    assert news == ["no worker starts on the node far"]


def test_work_of_its_own_that_was_cancelled_is_an_error_of_the_game() -> None:
    error = called(one_worker(), probes.cancels, "task")

    assert "cancelled" in str(error).lower()
    assert not isinstance(error, TimeoutError)


def test_what_a_game_has_started_does_not_hide_the_end_of_its_worker(tmp_path: Path) -> None:
    number = tmp_path / "child"
    lost = called(one_worker(), probes.leaves_a_child, str(number))

    assert isinstance(lost, WorkerLost)
    os.kill(int(number.read_text()), signal.SIGKILL)


def test_what_a_plug_in_printed_is_seen_though_its_worker_is_killed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    called(one_worker(), probes.says, "I was here")

    assert "I was here" in capfd.readouterr().err


class Made:
    """A class of a notebook."""


def test_what_only_the_main_module_has_is_refused_and_auto_plays_it_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Made, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Made", Made, raising=False)

    refused = called(one_worker(), probes.who, Made())
    pid, _ = called(AutoExecutor(concurrency=200, cpus=2), probes.who, Made())

    assert isinstance(refused, UsageError)
    assert "a part of this run exists in the memory of this one only" in str(refused)
    assert "Made" in str(refused)
    assert pid == os.getpid()


class OddAnswers:
    """Knows answers that cannot leave this process."""

    async def get(self, request_hash: str) -> Any:
        return lambda: request_hash


def test_an_answer_that_cannot_be_sent_is_an_error_of_the_game() -> None:
    error = called(one_worker(), probes.looks_up, "task", OddAnswers())

    assert "cannot be sent to a worker" in str(error)


class Nowhere:
    def opened(self, worker: str) -> AbstractAsyncContextManager[Callable[[int], Journal]]:
        raise AssertionError("it is lost before")


class RecordsItself(ExecutorPorts):
    """The journal of a game that its worker records."""

    @property
    def elsewhere(self) -> RecordedElsewhere | None:
        return RecordedElsewhere(Nowhere(), 1)

    def count(self, *entries: JournalEntry) -> None:
        self.entries += entries


@pytest.mark.parametrize(("made", "left"), [(ExecutorPorts, ["1 unsent"]), (RecordsItself, [])])
def test_leave_that_a_lost_worker_had_is_unsent_only_where_that_is_certain(
    made: type[ExecutorPorts], left: list[str]
) -> None:
    """A worker that records its games may have recorded a call without having told so: the leave
    stays open, and counts as lost."""

    async def main() -> list[str]:
        theirs = made()
        chunks = HandedOut(lambda _: None, lambda _: None, "1", lambda: 1)
        game = ServedGame(0, Ports(theirs, theirs, client()), lambda _: None, chunks, lambda: None)
        game.asked(0, "ask", (CallNeeds("model", 1), 0.0))
        await asyncio.gather(*game._waiting)
        game.lost("it has ended", "1")
        await game.closed()
        with pytest.raises(WorkerLost):
            await game.ended
        return theirs.diary

    assert asyncio.run(main())[1:] == left


def test_what_a_provider_says_in_a_worker_is_told_once() -> None:
    executor = ProcessExecutor(concurrency=2, workers=2)
    said = "some calls go through LiteLLM"

    async def one(task: str, slot: Slot) -> None:
        await slot.call(probes.notes, task, ports())

    asyncio.run(executor.run([said] * 4, one))

    assert executor.news == [said]


@pytest.mark.parametrize(("in_flight", "calls"), [(2, 3), (1, 4), (0, 5)])
def test_orphans_that_their_worker_did_not_tell_of_are_counted(in_flight: int, calls: int) -> None:
    meter = Meter(calls=3, calls_in_flight=in_flight)

    meter.orphaned([0.25, 0.5], in_flight)

    assert (meter.calls, meter.calls_in_flight, meter.cost) == (calls, 0, 0.75)


@dataclass(frozen=True, slots=True)
class LosesGames:
    """Every game is lost, after its first turn if that is not on record, in a process that never
    was. `seen` is how many turns were on record each time."""

    seen: list[int]

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        local = LocalExecutor(concurrency=1)
        await local.run(work, lambda item, slot: play(item, LosingSlot(slot, self.seen)))


@dataclass(frozen=True, slots=True)
class LosingSlot:
    slot: Slot
    seen: list[int]

    def lent(
        self, after: float = 0.0, worth: Callable[[], bool] = always
    ) -> AbstractContextManager[None]:
        return self.slot.lent(after, worth)

    async def call(self, play: Any, task: Any, ports: Any) -> Any:
        self.seen.append(len(task.recorded))
        if not task.recorded:
            await play(replace(task, turn_limit=1), ports)
        raise WorkerLost("the worker process 7 has ended", "7")


def test_a_game_whose_workers_end_again_and_again_is_void(
    small: Callable[..., TournamentConfig], sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(registry, "executor", lambda name, concurrency, options: LosesGames(seen))

    summary = asyncio.run(run(small(("games: 12", "games: 1\nattempts: 1")), url=sqlite_url))

    assert seen == [0, 1, 1, 1, 1]
    assert (summary.games_void, summary.void_causes) == (1, {"interrupted": 1})
    assert summary.first_error is not None
    assert "turn 1 may be what ends them" in summary.first_error


@pytest.mark.skipif(sys.platform != "linux", reason="the system ends the worker there")
def test_no_worker_outlives_its_parent_whatever_it_does() -> None:
    code = "from tests.executors.probes import killed_with_a_game as run; run()"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) as parent:
        assert parent.stderr is not None
        worker = int(parent.stderr.readline())
        assert living([worker])
        parent.kill()
        deadline = time.monotonic() + PATIENCE
        while living([worker]):
            assert time.monotonic() < deadline
            time.sleep(0.01)
