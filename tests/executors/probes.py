"""What the tests call in workers."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from arena.executors.processes.process import WorkerProcess
from arena.executors.workers.pool import WorkerPool
from arena.game.journal import Opened
from arena.game.task import Ports
from arena.llm.client import Client
from arena.testing.executors import ExecutorPorts
from tests.clients import client


async def who(task: str, ports: Ports) -> tuple[int, set[str]]:
    """The process, and the packages that it has loaded."""
    return os.getpid(), {name.partition(".")[0] for name in sys.modules}


async def dies(task: str, ports: Ports) -> None:
    """The process is killed where it stands."""
    os.kill(os.getpid(), signal.SIGKILL)


async def dies_once(task: str, ports: Ports) -> int:
    """Says that it has begun; the first of them to be played is killed, as its `task` is a file
    that is not there yet."""
    await ports.journal.append(Opened(0, 0, task, datetime.now(UTC)))
    try:
        os.close(os.open(task, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return os.getpid()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("it is dead")


async def prints(task: str, ports: Ports) -> None:
    """A library that prints, and a bug."""
    print(task)
    raise ZeroDivisionError(task)


async def logs(task: str, ports: Ports) -> int:
    """What a plug-in says below `arena`."""
    logging.getLogger("arena.mine").warning("in a worker: %s", task)
    return os.getpid()


async def odd(task: str, ports: Ports) -> object:
    """A result that exists here only."""
    return lambda: task


async def waits(task: str, ports: Ports) -> None:
    """Says that it has begun, and never ends."""
    await ports.journal.append(Opened(0, 0, task, datetime.now(UTC)))
    await asyncio.Event().wait()


async def cancels(task: str, ports: Ports) -> None:
    """Waits for work of its own that was cancelled."""
    own = asyncio.ensure_future(asyncio.sleep(60))
    own.cancel()
    await own


async def leaves_a_child(task: str, ports: Ports) -> None:
    """Starts a process that has every descriptor that may be inherited, writes its number into the
    file of this name, and is killed."""
    child = await asyncio.create_subprocess_exec("sleep", "60", close_fds=False)
    descriptor = os.open(task, os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, str(child.pid).encode())
    os.kill(os.getpid(), signal.SIGKILL)


async def says(task: str, ports: Ports) -> None:
    """Prints, and is killed."""
    print(task)
    os.kill(os.getpid(), signal.SIGKILL)


async def looks_up(task: str, ports: Ports) -> object:
    """An answer that is on record."""
    assert ports.answers is not None
    return await ports.answers.get(task)


async def notes(task: str, ports: Ports) -> None:
    """What a provider finds out while a game is played."""
    asked = ports.client
    assert isinstance(asked, Client)
    provider: Any = asked._provider("litellm")
    provider.note(task)


async def holds_every_thread(task: str, ports: Ports) -> None:
    """Says which process it is, and is long in code that lets no other thread run."""
    print(os.getpid(), flush=True)
    re.match(r"(a+)+$", "a" * 36 + "b")


def killed_with_a_game() -> None:
    """A run that is killed while its worker is in such code. For a process of its own."""

    async def main() -> None:
        pool, port = WorkerPool(1, WorkerProcess.started, []), ExecutorPorts()
        await pool.start()
        await pool.call(holds_every_thread, "task", Ports(port, port, client()))

    asyncio.run(main())
