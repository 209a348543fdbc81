"""What the tests call in workers."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime

from arena.game.journal import Opened
from arena.game.task import Ports


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


async def odd(task: str, ports: Ports) -> object:
    """A result that exists here only."""
    return lambda: task
