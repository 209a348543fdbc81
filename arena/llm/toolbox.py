"""The tools of one seat of one game: what they offer, and how a call of a model is run, within the
limits. What goes wrong is told to the model; nothing that it writes can end the game."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from arena.core import ArenaError, Observation, UsageError
from arena.core.plugins import raised
from arena.core.threads import in_spare_thread, noting_steps
from arena.core.tools import (
    ClosesTool,
    Recalls,
    Tool,
    ToolError,
    ToolFunction,
    ToolLimits,
    checked_function,
)
from arena.llm.pacing.deadlines import UnheldTime, deadline
from arena.llm.pacing.loop_lag import LoopLag

_log = logging.getLogger(__name__)

# Seconds for which a step of a tool may hold the event loop before the log of the run names it.
_HELD = 0.5
_HOLDS = (
    "the tool %r held the event loop for %.1f s in %s(): all games of this process waited for it; "
    "a tool whose `call` is a plain function, without `async`, is called in a thread"
)

CUT = "\n[… cut: the result was longer]"
_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
_MOST_FUNCTIONS = 128


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a model is told of a call, and of what kind its error is, if it failed."""

    result: str
    error: str | None = None
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class FoundTool:
    """A function that is offered, with the tool that runs it and its registered name."""

    name: str
    tool: Tool
    function: ToolFunction


@dataclass(slots=True)
class _Steps:
    """For how many seconds the steps of one call have held the loop: `total` is of its lag."""

    lag: LoopLag
    total: float = 0.0
    longest: float = 0.0

    def held(self, seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        self.total += self.lag.held(now) - self.lag.held(now - seconds)
        self.longest = max(self.longest, seconds)


@dataclass(slots=True)
class Toolbox:
    """The `tools` of a seat by their registered names. Raises UsageError where two offer a function
    of the same name."""

    tools: Sequence[tuple[str, Tool]]
    limits: ToolLimits = field(default_factory=ToolLimits)
    offered: tuple[Mapping[str, Any], ...] = ()
    _functions: dict[str, FoundTool] = field(default_factory=dict)
    _hanging: set[asyncio.Task[object]] = field(default_factory=set)
    _in_thread: set[int] = field(default_factory=set)  # ids of the tools whose call still runs

    def __post_init__(self) -> None:
        for name, tool in self.tools:
            for function in tool.functions:
                checked_function(name, function)
                if (other := self._functions.get(function.name)) is not None:
                    raise UsageError(
                        f"the tools {other.name!r} and {name!r} both offer the function "
                        f"{function.name!r}: leave one of them out"
                    )
                self._functions[function.name] = FoundTool(name, tool, function)
        if len(self._functions) > _MOST_FUNCTIONS:
            raise UsageError(
                f"the tools offer {len(self._functions)} functions, and models take at most "
                f"{_MOST_FUNCTIONS}: allow fewer of them"
            )
        self.offered = tuple(found.function.offered() for found in self._functions.values())

    def find(self, function: str) -> FoundTool | None:
        """Who runs a function; None where nobody offers it."""
        return self._functions.get(function)

    async def run(
        self,
        function: str,
        written: str,
        observation: Observation,
        seconds: float,
        lag: LoopLag | None = None,
    ) -> ToolAnswer:
        """Run a call, for so many `seconds` at most, in which those do not count for which others
        held the loop: `lag` is its own, by default measured for this call alone. Raises UsageError
        where the tool does: the run cannot go on with it."""
        found = self.find(function)
        if found is None:
            known = ", ".join(self._functions)
            return ToolAnswer(f"there is no tool {function[:64]!r}; there are: {known}", "unknown")
        try:
            arguments = self.arguments(found.function, written)
        except ToolError as error:
            return ToolAnswer(str(error), "arguments")
        if id(found.tool) in self._in_thread:
            told = f"the tool {found.name!r} is still at the call before, which was given up"
            return ToolAnswer(told, "timeout")
        lag = LoopLag() if lag is None else lag
        steps = _Steps(lag)
        with lag.watched():
            time = UnheldTime(lag, lambda: steps.total)
            call = self._called(found, arguments, observation, steps)
            answer = await self._ran(call, deadline(lambda now: seconds - time.spent(now)), seconds)
            took = time.spent() * 1e3
        text = answer.result
        if len(text) > self.limits.result_characters:
            text = text[: self.limits.result_characters] + CUT
        return ToolAnswer(text, answer.error, took)

    async def _ran(
        self, call: Coroutine[Any, Any, object], scope: deadline, seconds: float
    ) -> ToolAnswer:
        task = asyncio.create_task(call)
        try:
            async with scope:
                await asyncio.wait({task})
        except asyncio.CancelledError:
            self._give_up(task)
            raise
        except TimeoutError:
            pass
        if not task.done():
            self._give_up(task)
            return ToolAnswer(f"no result within {seconds:.3g} s; the call was given up", "timeout")
        try:
            result = task.result()
        except ToolError as error:
            return ToolAnswer(str(error) or "refused", "refused")
        except ArenaError:
            raise
        except _Exits as error:
            return ToolAnswer(f"the tool failed: {error}", "failed")
        except (Exception, asyncio.CancelledError) as error:
            return ToolAnswer(f"the tool failed: {raised(error)}", "failed")
        if not isinstance(result, str):
            told = f"the tool failed: it gave {type(result).__name__}, expected text"
            return ToolAnswer(told, "failed")
        return ToolAnswer(result)

    async def _called(
        self,
        found: FoundTool,
        arguments: Mapping[str, Any],
        observation: Observation,
        steps: _Steps,
    ) -> object:
        call, given = found.tool.call, (found.function.name, arguments, observation)
        try:
            if not inspect.iscoroutinefunction(call):
                self._in_thread.add(id(found.tool))
                result = await in_spare_thread(
                    self._called_here, found.tool, given, name=f"tool {found.name}"
                )
                return await result if inspect.isawaitable(result) else result
            try:
                return await noting_steps(
                    cast("Coroutine[Any, Any, str]", call(*given)), steps.held
                )
            finally:
                if steps.longest > _HELD:
                    _log.warning(_HOLDS, found.name, steps.longest, found.function.name)
        except SystemExit as error:
            # Out of a task it would end the loop, and every game in it.
            raise _Exits(raised(error)) from error

    def _called_here(self, tool: Tool, given: tuple[str, Mapping[str, Any], Observation]) -> object:
        try:
            return tool.call(*given)
        finally:
            self._in_thread.discard(id(tool))

    def _give_up(self, task: asyncio.Task[object]) -> None:
        # One that does not heed it is not waited for, and what it raises later is nobody's.
        task.cancel()
        self._hanging.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._hanging.discard(task)
        if not task.cancelled():
            task.exception()

    def recall(self, function: str, written: str, result: str, error: str | None) -> None:
        """Have a tool remember a call that is on record. Raises what the tool does."""
        found = self.find(function)
        if found is None or error is not None or not isinstance(found.tool, Recalls):
            return
        found.tool.recall(function, self.arguments(found.function, written), result)

    def arguments(self, function: ToolFunction, written: str) -> dict[str, Any]:
        """The arguments that a model wrote. Raises ToolError, in words for the model, where they
        are no JSON object of the function's properties."""
        most = self.limits.argument_characters
        if len(written) > most:
            raise ToolError(f"the arguments have {len(written):,} characters, at most {most:,}")
        try:
            given = json.loads(written, parse_constant=_no_number) if written.strip() else {}
        except (ValueError, RecursionError) as error:
            raise ToolError(f"the arguments are no JSON: {str(error)[:100]}") from None
        if not isinstance(given, dict):
            raise ToolError("the arguments are no JSON object")
        schema = function.parameters
        properties = schema.get("properties") or {}
        for name in schema.get("required") or ():
            if name not in given:
                raise ToolError(f"the argument {name!r} is missing")
        for name, value in given.items():
            if name not in properties:
                if schema.get("additionalProperties"):
                    continue
                known = ", ".join(properties) or "none"
                raise ToolError(f"there is no argument {name[:64]!r}; there are: {known}")
            _check(name, value, properties[name])
        return given

    async def aclose(self) -> None:
        """Let go of what the tools hold open; whatever they raise then is passed over."""
        for task in self._hanging:
            task.cancel()
        for _, tool in self.tools:
            if isinstance(tool, ClosesTool):
                try:
                    await tool.aclose()
                except Exception:  # noqa: S112 - the game is over, whatever becomes of the tool
                    continue


class _Exits(Exception):
    """A tool that would end the process."""


def echoed(written: str, most: int) -> str:
    """The arguments of a call as they are sent back to the model: what a provider would not take,
    because it is no JSON object or too long, as an empty one."""
    try:
        whole = len(written) <= most and isinstance(json.loads(written), dict)
    except (ValueError, RecursionError):
        whole = False
    return written if whole else "{}"


def _check(name: str, value: object, schema: Any) -> None:
    wanted = schema.get("type") if isinstance(schema, Mapping) else None
    kinds = _TYPES.get(wanted) if isinstance(wanted, str) else None
    if kinds is None:
        return
    is_bool = isinstance(value, bool) and bool not in kinds
    if is_bool or not isinstance(value, kinds):
        raise ToolError(f"the argument {name!r} is {json.dumps(value)[:60]}; expected {wanted}")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")
