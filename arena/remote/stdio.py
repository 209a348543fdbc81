"""Plays with a program that runs as a child process: a line of JSON in, a line of JSON out.

It is started without a shell, with a bare environment (no key of the user's is in it), in a group
of its own that ends with the run, and only where the user has allowed it (`arena.llm.programs`).
It is asked one turn at a time. One that ends or hangs has malfunctioned in that turn, and is
started again for the next.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from arena.core.groups import end_group
from arena.llm.failures.classify import Fault
from arena.llm.failures.kinds import FaultKind
from arena.llm.pacing.deadlines import within
from arena.llm.providers.stopwatch import stopwatch
from arena.remote.protocol import HELLO, MOST, Malfunction, hello

_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TMPDIR", "TZ")
# Answers to turns that are over, which a program may still send.
_LATE = 8
# Seconds for a process that was ended to be gone.
_ENDING = 2.0


class StdioProgram:
    """Some processes of one program: all turns of a session go to the same. `limit` is the seconds
    that one answer may take."""

    def __init__(self, command: Sequence[str], processes: int, limit: float) -> None:
        self._children = [_Child(tuple(command), limit) for _ in range(processes)]

    async def hello(self) -> bytes:
        """Who the program says it is. Raises Fault where it does not start."""
        return await self._children[0].hello()

    async def ask(self, message: Mapping[str, Any]) -> bytes:
        """The answer to a turn. Raises Malfunction, and Fault where it does not start."""
        which = int(message["session"], 16) % len(self._children)
        return await self._children[which].ask(message)

    async def tell(self, message: Mapping[str, Any]) -> None:
        """What needs no answer, to the process that has the session, where it still runs."""
        await self._children[int(message["session"], 16) % len(self._children)].tell(message)

    async def aclose(self) -> None:
        """End the processes."""
        for child in self._children:
            await child.aclose()


class _Child:
    def __init__(self, command: tuple[str, ...], limit: float) -> None:
        self._command = command
        self._limit = limit
        self._process: asyncio.subprocess.Process | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = asyncio.Lock()
        self._said: bytes | None = None
        self._before: list[str] = []

    async def hello(self) -> bytes:
        async with self._turn:
            await self._started()
        return self._said or b""

    async def ask(self, message: Mapping[str, Any]) -> bytes:
        timed = stopwatch()
        timed.preparing()
        async with self._turn:
            process = await self._started()
            timed.sent()
            try:
                async with timed.answered_within(self._limit) as scope:
                    answer = await self._answer(process, message)
                    timed.heard()
                    return answer
            except TimeoutError:
                self.kill()
                if not scope.expired():
                    raise
                raise Malfunction(f"it gave no answer within {self._limit:g} s") from None
            except BaseException:
                # It may still be at this turn.
                self.kill()
                raise

    async def tell(self, message: Mapping[str, Any]) -> None:
        async with self._turn:
            process = self._process
            if process is None or self._loop is not asyncio.get_running_loop():
                return
            # An answer that comes late is one to a turn that is over.
            self._before = [*self._before[1 - _LATE :], message["turn"]]
            try:
                await _write(process, orjson.dumps(message))
                # It has read it once it has said something: the run may be over then.
                await _line(process)
            except Malfunction:
                self.kill()
                raise

    async def _answer(
        self, process: asyncio.subprocess.Process, message: Mapping[str, Any]
    ) -> bytes:
        late = [*self._before]
        self._before = [*late[1 - _LATE :], message["turn"]]
        await _write(process, orjson.dumps(message))
        for _ in range(_LATE):
            line = await _line(process)
            if _turn_of(line) not in late or message["turn"] in late:
                return line
        raise Malfunction("it goes on answering turns that are over")

    async def _started(self) -> asyncio.subprocess.Process:
        loop = asyncio.get_running_loop()
        process = self._process
        if process is not None and process.returncode is None and self._loop is loop:
            return process
        self.kill()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,
                limit=MOST,
            )
        except (OSError, ValueError) as error:
            raise Fault("NotStarted", f"it cannot be started: {error}", **_STOP) from None
        self._process, self._loop, self._before = process, loop, []
        try:
            async with within(HELLO, stopwatch().lag):
                await _write(process, orjson.dumps(hello()))
                said = await _line(process)
        except TimeoutError:
            self.kill()
            raise Fault("NoHello", f"no hello within {HELLO:g} s", **_STOP) from None
        except Malfunction as error:
            self.kill()
            raise Fault("NoHello", f"its hello: {error}", **_STOP) from None
        except BaseException:
            self.kill()
            raise
        if self._said not in (None, said):
            self.kill()
            raise Fault("AnotherProgram", "it says another hello than before", **_STOP)
        self._said = said
        return process

    async def aclose(self) -> None:
        """End the process, and wait until it has."""
        process, loop = self._process, self._loop
        self.kill()
        if process is not None and loop is asyncio.get_running_loop():
            with suppress(TimeoutError):
                async with asyncio.timeout(_ENDING):
                    await process.wait()

    def kill(self) -> None:
        """End the process and all that it has started."""
        process, self._process = self._process, None
        if process is None:
            return
        end_group(process)
        transport = getattr(process, "_transport", None)
        if transport is not None and self._loop is not None and not self._loop.is_closed():
            transport.close()


_STOP: dict[str, Any] = {"kind": FaultKind.MODEL, "billed": False}


async def _write(process: asyncio.subprocess.Process, body: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(body + b"\n")
        await process.stdin.drain()
    except (ConnectionError, OSError):
        raise Malfunction("it has ended") from None


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
    except ValueError:
        raise Malfunction(f"it sent more than {MOST // 1024} KiB in one message") from None
    if not line.endswith(b"\n"):
        raise Malfunction("it has ended")
    return line


def _turn_of(line: bytes) -> object:
    try:
        return orjson.loads(line).get("turn")
    except (AttributeError, ValueError):
        return None
