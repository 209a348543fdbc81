"""Workers: what is played in them, what happens when they end, and which executor `auto` takes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.core import ArenaError, ModelSpec, UsageError, WorkerLost
from arena.core.execution import Slot
from arena.executors.auto import AutoExecutor
from arena.executors.local import LocalExecutor
from arena.executors.processes.executor import ProcessExecutor
from arena.game.task import Ports
from arena.llm.client import Client
from arena.testing.executors import ExecutorPorts
from tests.clients import client
from tests.executors import probes

pytestmark = pytest.mark.slow


def ports(asked: Client | None = None) -> Ports:
    theirs = ExecutorPorts()
    return Ports(theirs, theirs, asked or client())


def called(
    executor: ProcessExecutor | AutoExecutor,
    play: Callable[[str, Ports], Awaitable[Any]],
    *tasks: str,
    asked: Client | None = None,
) -> list[Any]:
    """What each task came to, in order: what was returned, or raised."""
    found: list[Any] = []

    async def one(task: str, slot: Slot) -> None:
        try:
            found.append(await slot.call(play, task, ports(asked)))
        except (ArenaError, ArithmeticError, AttributeError) as error:
            found.append(error)

    asyncio.run(executor.run(tasks, one))
    return found


def test_a_worker_is_another_process_that_knows_no_database() -> None:
    ((pid, rooms),) = called(ProcessExecutor(concurrency=1), probes.who, "task")

    assert pid != os.getpid()
    assert "arena" in rooms
    assert not {"db", "sqlalchemy", "litellm", "textarena"} & rooms
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_was_played_in_a_worker_that_ends_is_lost_and_another_is_started(
    tmp_path: Path,
) -> None:
    executor = ProcessExecutor(concurrency=1)
    lost, pid = called(executor, probes.dies_once, *[str(tmp_path / "once")] * 2)

    assert isinstance(lost, WorkerLost)
    assert lost.worker
    (said,) = executor.news
    assert said.endswith(
        " was ended by SIGKILL: another is started, and its 1 game resumes from the record"
    )
    assert said.startswith("worker process ")
    assert str(pid) not in said


def test_workers_that_end_again_and_again_stop_the_run() -> None:
    executor = ProcessExecutor(concurrency=1)
    *lost, last = called(executor, probes.dies, *"abcd")

    assert [type(error) for error in lost] == [WorkerLost] * 3
    assert "a worker process was ended by SIGKILL, the 3rd in a row before any turn" in str(last)
    assert "type the same command again to resume, or with `--executor local`" in str(last)


def test_a_bug_says_where_it_was_and_what_is_printed_is_not_taken_for_an_answer(
    capfd: pytest.CaptureFixture[str],
) -> None:
    (bug,) = called(ProcessExecutor(concurrency=1), probes.prints, "so much for that")

    assert isinstance(bug, ZeroDivisionError)
    assert "in a worker process:" in bug.__notes__[0]
    assert "probes.py" in bug.__notes__[0]
    out, err = capfd.readouterr()
    assert out == ""
    assert "so much for that" in err


def test_a_result_that_cannot_leave_its_process_is_an_error() -> None:
    (found,) = called(ProcessExecutor(concurrency=1), probes.odd, "task")

    # In the words of the Python that runs.
    assert "local object" in str(found)


def test_what_exists_in_one_process_only_is_refused_and_auto_plays_it_here() -> None:
    own = client({"mine": lambda messages, rng: "mine"})
    strict, auto = ProcessExecutor(concurrency=1), AutoExecutor(concurrency=200, cpus=2)

    (refused,) = called(strict, probes.who, "task", asked=own)
    ((pid, _), _) = called(auto, probes.who, *"ab", asked=own)

    assert isinstance(refused, UsageError)
    assert "a part of this run exists in the memory of this one only" in str(refused)
    assert str(refused).endswith("take `executor: local`")
    assert pid == os.getpid()
    first, second = auto.news
    assert first == "games are played in 2 worker processes: 200 at once, on 2 CPUs"
    assert second.startswith("games are played in this process after all: games cannot be sent")


@pytest.mark.parametrize(
    ("concurrency", "cpus", "taken", "said"),
    [
        (199, 8, LocalExecutor, []),
        (200, 1, LocalExecutor, ["games are played in this process: one CPU"]),
        (
            200,
            8,
            ProcessExecutor,
            ["games are played in 2 worker processes: 200 at once, on 8 CPUs"],
        ),
    ],
)
def test_auto_takes_workers_for_many_games_on_several_cpus(
    concurrency: int, cpus: int, taken: type, said: list[str]
) -> None:
    executor = AutoExecutor(concurrency=concurrency, cpus=cpus)

    assert isinstance(executor._taken, taken)
    assert executor.news == said


def test_a_client_is_made_again_as_it_was() -> None:
    import pickle

    made = Client(
        registry.provider,
        policy=registry.policy,
        timeout=7.0,
        retries=2,
        keep_answers=True,
        cached=["one"],
        logprobs=True,
    )
    again = pickle.loads(pickle.dumps(made))

    model = ModelSpec("one", "scripted/random")
    again.check(model)
    assert again._settings == made._settings
    assert (again._means.retries, again._means.deadline, again._means.keep) == (2, 7.0, True)
