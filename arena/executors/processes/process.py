"""One worker process as its parent has it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from arena.core import UsageError
from arena.core.execution import PortsT, ResultT, TaskT
from arena.core.threads import in_thread
from arena.executors.processes.stream import MessageStream
from arena.executors.workers.outbox import Packet
from arena.executors.workers.parent import GamesThere

# What is imported where is the parent's choice, whatever folder it was started in.
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from arena.executors.processes.worker import main; main(int(sys.argv[1]), sys.argv[3])"
)
# Seconds in which a process that has lost its parent has to be gone.
_PATIENCE = 5.0


class WorkerProcess:
    """A process that plays games. `lost` is called once, when it is gone; `progressed` whenever a
    turn of one of its games is durable; `told` with what its providers have to say."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        recorder: str,
        lost: Callable[[WorkerProcess], None],
        progressed: Callable[[], None],
        told: Callable[[str], None],
    ) -> None:
        self._process = process
        self._recorder = recorder
        self._lost = lost
        self._stream: MessageStream | None = None
        self._games = GamesThere(self._send, progressed, told, recorder)
        self._closed = False

    @classmethod
    async def started(
        cls,
        lost: Callable[[WorkerProcess], None],
        progressed: Callable[[], None],
        told: Callable[[str], None],
    ) -> WorkerProcess:
        """A new process, which may still be importing what it needs. Raises UsageError where the
        system starts none."""
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise _none(error) from error
        try:
            with theirs:
                # The number of a process may be given again.
                recorder = uuid.uuid4().hex[:12]
                process = await in_thread(_started, theirs, recorder, undo=_ended)
        except BaseException:
            ours.close()
            raise
        worker = cls(process, recorder, lost, progressed, told)
        ours.setblocking(False)
        worker._stream = await MessageStream.over(
            ours, worker._games.received, worker._games.unsendable, worker._gone
        )
        return worker

    @property
    def name(self) -> str:
        """Its number."""
        return str(self._process.pid)

    @property
    def games(self) -> int:
        """How many games it has."""
        return len(self._games)

    async def play(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: Any
    ) -> ResultT:
        """What `play(task, ports)` returns there (`arena.executors.workers.parent`)."""
        return await self._games.play(play, task, ports)

    async def ended(self) -> str:
        """End the process, unless it has ended: how it did, for messages."""
        self._closed = True
        if self._stream is not None:
            self._stream.close()
        code = await in_thread(_ended, self._process)
        if code >= 0:
            return f"ended with exit code {code}"
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"

    def _send(self, message: Packet) -> None:
        if self._stream is not None:
            self._stream.send(message)

    def _gone(self) -> None:
        self._games.lost(f"the worker process {self.name} has ended", self._recorder)
        if not self._closed:
            self._lost(self)


def _started(theirs: socket.socket, recorder: str) -> subprocess.Popen[bytes]:
    if not sys.executable:
        raise UsageError(
            "the executor 'processes' starts Python again, and this one does not know where it is "
            "installed: take `executor: local`"
        )
    path = json.dumps(sys.path)
    try:
        return subprocess.Popen(  # noqa: S603 — our own interpreter
            # The parent has told what there is to tell of what libraries think of each other; what
            # a plug-in prints is written at once, however the process ends.
            (
                sys.executable,
                "-u",
                "-W",
                "ignore",
                "-c",
                _BEGIN,
                str(theirs.fileno()),
                path,
                recorder,
            ),
            stdin=subprocess.DEVNULL,
            # What anything prints does not come between the parent's data.
            stdout=2,
            pass_fds=[theirs.fileno()],
            # Ctrl-C in a terminal goes to the parent alone, which lets games end their turn.
            process_group=0,
        )
    except OSError as error:
        raise _none(error) from error


def _none(error: OSError) -> UsageError:
    return UsageError(f"no worker process can be started ({error}): take `executor: local`")


def _ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code of a process whose end of the socket is closed."""
    try:
        return process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
