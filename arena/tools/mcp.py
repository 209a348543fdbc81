"""The tool `mcp`: functions of a Model Context Protocol server, a program on this machine that the
tournament file names and the user has allowed (`arena programs`).

Each seat of each game has a server of its own, started at its first call. What its functions are is
asked once, before the agent is entered, and belongs to the agent: a server that offers others later
is refused.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Observation, UsageError
from arena.core.text import one_line
from arena.core.tools import ToolError, ToolFunction
from arena.llm.pacing.deadlines import within
from arena.llm.programs import check_allowed
from arena.tools.mcp_client import McpClient, ServerGone, ServerRefused
from arena.tools.options import whole

_MOST_ALLOWED = 64
_LONGEST_DESCRIPTION = 2000
_LONGEST_SCHEMA = 20_000
_STARTS = 2
_WHOSE = "the tool 'mcp'"


class McpTool:
    """`command` is the program with its arguments, never a shell's; `allow` the names of the
    functions that may be called; `start_seconds` how long it may take to start. With `repeatable` a
    call may be run again after a crash. `functions` are what it offers, as they were found."""

    version = 1

    def __init__(
        self,
        *,
        command: Sequence[str],
        allow: Sequence[str],
        start_seconds: int = 10,
        repeatable: bool = False,
        functions: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        self._command = _command(command)
        self._allow = _allow(allow)
        self._start_seconds = whole("mcp", "start_seconds", start_seconds, 1, 300)
        if not isinstance(repeatable, bool):
            raise UsageError(f"the option 'repeatable' of the tool 'mcp' is {repeatable!r:.60}")
        self.repeatable = repeatable
        self.functions = tuple(map(_function, functions))
        if {function.name for function in self.functions} != set(self._allow):
            raise UsageError(
                "the tool 'mcp' has no functions on record for all that it allows: it is asked for "
                "them when a tournament is run, or an agent is added"
            )
        self._client: McpClient | None = None
        self._starts = 0
        self._starting = asyncio.Lock()

    @staticmethod
    def pinned(options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The functions that the server offers, of those that are allowed. Raises UsageError for a
        program that nobody allowed, that does not start, and for functions that it does not have.
        """
        unknown = options.keys() - {"command", "allow", "start_seconds", "repeatable", "functions"}
        if unknown or "command" not in options or "allow" not in options:
            raise UsageError(
                "the tool 'mcp' takes `command: [PROGRAM, ARGUMENT, ...]` and `allow: [FUNCTION, "
                f"...]`, found {', '.join(sorted(map(str, options))) or 'neither'}"
            )
        command, names = _command(options["command"]), _allow(options["allow"])
        seconds = whole("mcp", "start_seconds", options.get("start_seconds", 10), 1, 300)
        check_allowed(command, _WHOSE)
        if options.get("functions"):
            return {}
        found = _aside(command, names, seconds)
        return {
            "functions": [
                {
                    "name": each.name,
                    "description": each.description,
                    "parameters": dict(each.parameters),
                }
                for each in found
            ]
        }

    async def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str:
        client = await self._running()
        try:
            said, failed = await client.call(function, arguments)
        except ServerGone as gone:
            raise ToolError(f"the server is gone: {gone}") from None
        except ServerRefused as refused:
            raise ToolError(f"the server refused: {refused}") from None
        if failed:
            raise ToolError(said or "it failed without a word")
        return said

    async def aclose(self) -> None:
        """End the server, if it was started."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _running(self) -> McpClient:
        async with self._starting:
            if self._client is not None and self._client.alive:
                return self._client
            await self.aclose()
            if self._starts >= _STARTS:
                raise ToolError(f"the server has ended {self._starts} times, and is given up")
            check_allowed(self._command, _WHOSE)
            self._starts += 1
            try:
                async with within(self._start_seconds):
                    client = await McpClient.started(self._command)
                    self._client = client
                    offered = chosen(await client.tools(), self._allow)
            except TimeoutError:
                await self.aclose()
                raise ToolError("the server did not start in time") from None
            except (ServerGone, ServerRefused) as error:
                await self.aclose()
                raise ToolError(f"the server cannot be used: {error}") from None
            if offered != self.functions:
                raise UsageError(
                    f"the MCP server `{' '.join(self._command):.100}` offers other functions than "
                    "the agent was made with, which makes another agent: run the tournament under "
                    "another name, or have the server offer what it did"
                )
            return client


def chosen(tools: Sequence[Mapping[str, Any]], names: Sequence[str]) -> tuple[ToolFunction, ...]:
    """Those of a server's tools that are allowed, in the order of `names`. Raises UsageError for
    one that it does not have, or whose description no model could be sent."""
    listed = {tool.get("name"): tool for tool in reversed(tools)}
    if missing := [name for name in names if name not in listed]:
        known = ", ".join(sorted(one_line(str(name), 40) for name in listed)[:12])
        raise UsageError(
            f"the MCP server has no function {missing[0]!r:.80}; it lists {len(listed)}: {known}"
        )
    return tuple(
        _function(
            {
                "name": name,
                "description": str(listed[name].get("description") or "")[:_LONGEST_DESCRIPTION],
                "parameters": listed[name].get("inputSchema") or {"type": "object"},
            }
        )
        for name in names
    )


def _function(found: Mapping[str, Any]) -> ToolFunction:
    schema = found.get("parameters")
    if not isinstance(schema, Mapping) or len(json.dumps(schema)) > _LONGEST_SCHEMA:
        raise UsageError(
            f"the function {found.get('name')!r:.80} of the MCP server has no schema of an object, "
            f"or one of more than {_LONGEST_SCHEMA:,} characters"
        )
    # Whatever the schema leaves open, the server checks.
    parameters = {"additionalProperties": True, **schema, "type": "object"}
    return ToolFunction(str(found["name"]), str(found["description"]), parameters)


def _aside(command: Sequence[str], names: Sequence[str], seconds: int) -> tuple[ToolFunction, ...]:
    """What a server offers, asked in a thread: the caller may be in a loop of its own."""
    found: list[tuple[ToolFunction, ...] | Exception] = []

    async def ask() -> tuple[ToolFunction, ...]:
        async with within(seconds):
            client = await McpClient.started(command)
            try:
                return chosen(await client.tools(), names)
            finally:
                await client.aclose()

    def main() -> None:
        try:
            found.append(asyncio.run(ask()))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=main, name="arena-mcp")
    thread.start()
    thread.join()
    match found:
        case [tuple() as functions]:
            return functions
        case [UsageError() as error]:
            raise error
        case [TimeoutError()]:
            why = f"it said nothing within {seconds} s"
        case [error]:
            why = str(error)
        case _:
            why = "it was interrupted"
    raise UsageError(f"the MCP server `{' '.join(command):.200}` cannot be used: {why}")


def _command(written: Any) -> tuple[str, ...]:
    if (
        not isinstance(written, list | tuple)
        or not written
        or not all(isinstance(word, str) and word and "\0" not in word for word in written)
    ):
        raise UsageError(
            f"the option 'command' of the tool 'mcp' is {written!r:.80}; expected a list of a "
            "program and its arguments, as in [python, server.py]"
        )
    return tuple(written)


def _allow(written: Any) -> tuple[str, ...]:
    if (
        not isinstance(written, list | tuple)
        or not 1 <= len(written) <= _MOST_ALLOWED
        or not all(isinstance(name, str) for name in written)
        or len(set(written)) < len(written)
    ):
        raise UsageError(
            f"the option 'allow' of the tool 'mcp' is {written!r:.80}; expected the names of 1 to "
            f"{_MOST_ALLOWED} of its functions"
        )
    return tuple(written)
