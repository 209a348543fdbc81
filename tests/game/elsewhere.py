"""An executor that plays every game in a process of its own; only plain data passes between.

The process is started anew, is sent the task as a pickle, and knows no database: its journal, its
answers and its clearance are those of this process, asked over a pipe.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import struct
import sys
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from arena.core import ArenaError
from arena.core.execution import ResultT, Slot, TaskT, always
from arena.executors.local import LocalExecutor
from arena.game.journal import JournalEntry
from arena.game.task import Ports
from arena.llm.clearance import CallNeeds, Grant, Returned
from arena.llm.providers.protocol import Answer
from tests.clients import client

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
_LENGTH = struct.Struct(">Q")


class Elsewhere:
    """Plays games at most `concurrency` at once, each in a new process. `passed` counts what was
    asked over the pipes, `rooms` are the packages that the processes had loaded at their end."""

    passed: ClassVar[Counter[str]] = Counter()
    rooms: ClassVar[set[str]] = set()

    def __init__(self, *, concurrency: int) -> None:
        self._local = LocalExecutor(concurrency=concurrency)

    async def run(
        self, work: Iterable[T] | AsyncIterable[T], play: Callable[[T, Slot], Awaitable[None]]
    ) -> None:
        await self._local.run(work, lambda item, slot: play(item, RemoteSlot(slot)))


class RemoteSlot:
    """A slot of this process, whose calls are made in another."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def lent(
        self, after: float = 0.0, worth: Callable[[], bool] = always
    ) -> AbstractContextManager[None]:
        return self._slot.lent(after, worth)

    async def call(
        self, play: Callable[[TaskT, Any], Awaitable[ResultT]], task: TaskT, ports: Any
    ) -> ResultT:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _send(process.stdin, (play, task, ports.answers is not None))
            done: ResultT = await _serve(process.stdout, process.stdin, ports)
            return done
        finally:
            process.stdin.close()
            await process.wait()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ports: Ports) -> Any:
    """Answers what a process asks, until it says how its game ended."""
    asked: dict[str, Callable[[Any], Awaitable[Any]]] = {
        "append": lambda entries: ports.journal.append(*entries),
        "get": lambda digest: _there(ports.answers).get(digest),
        "ask": ports.clearance.ask,
        "wait": ports.clearance.wait,
    }

    async def answer(number: int, what: str, value: Any) -> None:
        try:
            found, error = await asked[what](value), None
        except ArenaError as raised:
            found, error = None, raised
        _send(writer, (number, found, error, ports.journal.wanted()))

    async with asyncio.TaskGroup() as group:
        while True:
            number, what, value = await _receive(reader)
            Elsewhere.passed[what] += 1
            match what:
                case "give_back":
                    ports.clearance.give_back(value)
                case "done":
                    result, rooms = value
                    Elsewhere.rooms |= rooms
                    if isinstance(result, ArenaError):
                        raise result
                    return result
                case _:
                    group.create_task(answer(number, what, value))


def _there(value: T | None) -> T:
    assert value is not None
    return value


def _send(writer: asyncio.StreamWriter, value: Any) -> None:
    data = pickle.dumps(value)
    writer.write(_LENGTH.pack(len(data)) + data)


async def _receive(reader: asyncio.StreamReader) -> Any:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return pickle.loads(await reader.readexactly(length))


class Remote:
    """The journal, the answers and the clearance of the process that is asked."""

    def __init__(self, reader: asyncio.StreamReader, out: int) -> None:
        self._reader = reader
        self._out = out
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._wanted = True

    async def listen(self) -> None:
        while True:
            number, value, error, self._wanted = await _receive(self._reader)
            waiting = self._waiting.pop(number)
            if error is None:
                waiting.set_result(value)
            else:
                waiting.set_exception(error)

    def tell(self, what: str, value: Any, number: int = -1) -> None:
        data = pickle.dumps((number, what, value))
        with os.fdopen(os.dup(self._out), "wb") as out:
            out.write(_LENGTH.pack(len(data)) + data)

    async def _ask(self, what: str, value: Any) -> Any:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self.tell(what, value, number)
        return await self._waiting[number]

    async def append(self, *entries: JournalEntry) -> None:
        await self._ask("append", entries)

    def wanted(self) -> bool:
        return self._wanted

    async def get(self, request_hash: str) -> Answer | None:
        found: Answer | None = await self._ask("get", request_hash)
        return found

    async def ask(self, needs: CallNeeds) -> Grant:
        grant: Grant = await self._ask("ask", needs)
        return grant

    def give_back(self, returned: Returned) -> None:
        self.tell("give_back", returned)

    async def wait(self, seconds: float) -> None:
        await self._ask("wait", seconds)


async def main(out: int) -> None:
    """Play the task that comes on stdin."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    play, task, answers = await _receive(reader)
    remote = Remote(reader, out)
    listening = asyncio.create_task(remote.listen())
    asked = client(keep_answers=answers)
    try:
        ports = Ports(remote, remote, asked, remote if answers else None)
        try:
            result = await play(task, ports)
        except ArenaError as error:
            result = error
        remote.tell("done", (result, {name.partition(".")[0] for name in sys.modules}))
    finally:
        listening.cancel()
        await asked.aclose()


if __name__ == "__main__":
    # What anything prints must not come between what is told.
    told = os.dup(1)
    os.dup2(2, 1)
    asyncio.run(main(told))
