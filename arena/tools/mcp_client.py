"""A client of the Model Context Protocol for programs on stdio: a line of JSON-RPC each way.

The official package brings a web server, its framework and a settings library along. Of the
protocol an agent's tools need four messages, and what is asked of a server that hangs, dies or says
too much is the arena's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from arena.core.groups import end_group

_PROTOCOL = "2025-06-18"
_LONGEST_LINE = 4 * 2**20  # bytes
_MOST_PAGES = 64
_MOST_TOOLS = 4096
_CLOSING = 1.0  # seconds
_NO_SUCH_METHOD = -32601

# What a program needs to be found and started; keys and tokens stay here.
_PASSED = (
    "HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR",
    "USER", "USERPROFILE",
)  # fmt: skip


class ServerGone(Exception):
    """The program has ended, or said what no server says."""


class ServerRefused(Exception):
    """The server answered with an error; the message is its own."""


def reduced_environment() -> dict[str, str]:
    """The variables that a program is started with."""
    return {name: os.environ[name] for name in _PASSED if name in os.environ}


class McpClient:
    """One running server. Make it with `started`, end it with `aclose`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._next = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._ended: str | None = None
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def started(cls, command: Sequence[str]) -> McpClient:
        """Start the program and greet it. Raises ServerGone where it cannot be started or ends,
        ServerRefused where it will not talk; how long that takes is the caller's to limit."""
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=reduced_environment(),
                limit=_LONGEST_LINE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise ServerGone(f"it cannot be started: {error}") from error
        client = cls(process)
        try:
            greeting = {
                "protocolVersion": _PROTOCOL,
                "capabilities": {},
                "clientInfo": {"name": "llm-arena", "version": "1"},
            }
            await client._ask("initialize", greeting)
            client._send({"method": "notifications/initialized"})
        except BaseException:
            await client.aclose()
            raise
        return client

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._ended is None and self._process.returncode is None

    async def tools(self) -> list[Mapping[str, Any]]:
        """All tools that it lists. Raises ServerGone and ServerRefused."""
        found: list[Mapping[str, Any]] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._ask("tools/list", {} if cursor is None else {"cursor": cursor})
            listed = page.get("tools")
            if not isinstance(listed, list):
                raise ServerRefused("it lists no tools")
            found += [tool for tool in listed if isinstance(tool, Mapping)]
            cursor = page.get("nextCursor")
            if not isinstance(cursor, str) or len(found) > _MOST_TOOLS:
                break
        return found[:_MOST_TOOLS]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        """What a tool says, as text, and whether it says that it failed. Raises ServerGone and
        ServerRefused."""
        found = await self._ask("tools/call", {"name": name, "arguments": dict(arguments)})
        parts = found.get("content")
        texts = [_said(part) for part in parts] if isinstance(parts, list) else []
        return "\n".join(texts), found.get("isError") is True

    async def aclose(self) -> None:
        """End the program and all that it has started."""
        self._end("it was ended")
        if self._process.stdin is not None:
            self._process.stdin.close()
        # It reads the end of its input, and has a moment for its own.
        await asyncio.wait({self._reading}, timeout=_CLOSING)
        self._kill()
        # What it still wrote is read to the end, without which its process is not seen to end; a
        # child of it that has left its group may hold the pipe open.
        await asyncio.wait({self._reading}, timeout=_CLOSING)
        self._reading.cancel()
        transport: Any = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), _CLOSING)

    async def _ask(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        number, self._next = self._next, self._next + 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._send({"id": number, "method": method, "params": params})
            found = await answer
        except asyncio.CancelledError:
            if self.alive:
                cancelled = {"requestId": number, "reason": "it took too long"}
                self._send({"method": "notifications/cancelled", "params": cancelled})
            raise
        finally:
            self._waiting.pop(number, None)
        if not isinstance(found, Mapping):
            raise ServerRefused("it answered with something that is no result")
        return found

    def _send(self, message: Mapping[str, Any]) -> None:
        if not self.alive or self._process.stdin is None:
            raise ServerGone(self._ended or "it has ended")
        line = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False)
        self._process.stdin.write(line.encode() + b"\n")

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                self._take(line)
            self._end("it has ended")
        except ValueError:
            self._end(f"it wrote a line of more than {_LONGEST_LINE:,} bytes")
            self._kill()
            while await self._process.stdout.read(_LONGEST_LINE):
                pass
        except OSError as error:
            self._end(f"it cannot be read: {error}")

    def _kill(self) -> None:
        end_group(self._process)

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return  # programs write other things to stdout, too
        if not isinstance(message, Mapping):
            return
        number = message.get("id")
        if isinstance(message.get("method"), str):
            if number is not None and self.alive:
                self._send({"id": number, **_answered(message["method"])})
            return
        waiting = self._waiting.get(number) if isinstance(number, int) else None
        if waiting is None or waiting.done():
            return
        if "error" in message:
            error = message["error"]
            said = error.get("message") if isinstance(error, Mapping) else error
            waiting.set_exception(ServerRefused(str(said)[:500]))
        else:
            waiting.set_result(message.get("result"))

    def _end(self, why: str) -> None:
        self._ended = self._ended or why
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ServerGone(self._ended))


def _answered(method: str) -> dict[str, Any]:
    """The answer to what a server asks: it may see whether we are there, and nothing else."""
    if method == "ping":
        return {"result": {}}
    return {"error": {"code": _NO_SUCH_METHOD, "message": "not offered"}}


def _said(part: Any) -> str:
    if not isinstance(part, Mapping):
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else f"({str(part.get('type', 'a part'))[:40]})"
