"""Groups of processes: a program that was started as the leader of one, and what it has started."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Protocol


class Leader(Protocol):
    """A process that was started in a session of its own (`asyncio.subprocess.Process`)."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None:
        """None until its end was seen."""
        ...


def end_group(leader: Leader) -> None:
    """Kill a leader and all that is left of its group.

    The number of a leader whose end was seen is free once nothing is left of its group, and may be
    another program's by now: a process of this number says so, and is not touched.
    """
    if leader.returncode is not None and _is_process(leader.pid):
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)


def _is_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
