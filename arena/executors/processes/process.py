"""One worker process as its parent has it."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from arena.core import UsageError
from arena.core.execution import PortsT, ResultT, TaskT
from arena.core.threads import in_thread
from arena.executors.processes.served import ServedGame
from arena.executors.processes.shared import SharedParts
from arena.executors.processes.stream import MessageStream, Packet
from arena.game.journal import Delegates
from arena.llm.handed_out import HandedOut

# What is imported where is the parent's choice, whatever folder it was started in.
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from arena.executors.processes.worker import main; main(int(sys.argv[1]))"
)
# Seconds in which a process that has lost its parent has to be gone.
_PATIENCE = 5.0


class WorkerProcess:
    """A process that plays games. `lost` is called once, when it is gone; `progressed` whenever a
    turn of one of its games is durable; `told` with what its providers have to say."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        lost: Callable[[WorkerProcess], None],
        progressed: Callable[[], None],
        told: Callable[[str], None],
    ) -> None:
        self._process = process
        self._lost = lost
        self._progressed = progressed
        self._told = told
        self._stream: MessageStream | None = None
        self._parts = SharedParts(self._send)
        self._chunks = HandedOut(
            lambda chunk: self._send(("chunk", chunk)), lambda model: self._send(("recall", model))
        )
        self._numbers = itertools.count()
        self._games: dict[int, ServedGame] = {}
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
                process = await in_thread(_started, theirs, undo=_ended)
        except BaseException:
            ours.close()
            raise
        worker = cls(process, lost, progressed, told)
        ours.setblocking(False)
        worker._stream = await MessageStream.over(
            ours, worker._received, worker._unsendable, worker._gone
        )
        return worker

    @property
    def games(self) -> int:
        """How many games it has."""
        return len(self._games)

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    async def play(
        self, play: Callable[[TaskT, PortsT], Awaitable[ResultT]], task: TaskT, ports: Any
    ) -> ResultT:
        """What `play(task, ports)` returns there. Raises what it raises, WorkerLost when the
        process ends before it does, NotPlainData for what cannot be sent."""
        journal = ports.journal
        elsewhere = journal.elsewhere if isinstance(journal, Delegates) else None
        data = self._parts.written(
            (play, task, ports.client, ports.answers is not None, elsewhere, journal.wanted())
        )
        number = next(self._numbers)
        game = self._games[number] = ServedGame(
            number, ports, self._send, self._chunks, self._progressed
        )
        self._send(("play", number, data))
        try:
            result: ResultT = await game.ended
            return result
        except asyncio.CancelledError:
            self._send(("cancel", number))
            raise
        finally:
            del self._games[number]
            await game.closed()

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

    def _received(self, messages: list[Packet]) -> None:
        for number, request, what, value in messages:
            game = self._games.get(number)
            if what == "news":
                self._told(value)
            elif what == "returned":
                self._chunks.returned(*value)
            elif game is not None:
                game.asked(request, what, value)
            elif what == "took":
                self._chunks.took(value[0], None)

    def _unsendable(self, message: Packet, error: Exception) -> None:
        # What a plug-in's cache answers, or its error says.
        what, *_, number = message
        if what != "reply":
            raise TypeError(f"{what} cannot be sent to a worker") from error
        if number in self._games:
            bug = TypeError(f"an answer cannot be sent to a worker: {error}")
            self._games[number].fail(bug)

    def _gone(self) -> None:
        self._chunks.gone(sum(not game.ended.done() for game in self._games.values()))
        for game in self._games.values():
            game.lost(self.pid)
        if not self._closed:
            self._lost(self)


def _started(theirs: socket.socket) -> subprocess.Popen[bytes]:
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
            (sys.executable, "-u", "-W", "ignore", "-c", _BEGIN, str(theirs.fileno()), path),
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
