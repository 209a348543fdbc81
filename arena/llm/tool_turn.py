"""An agent's handle for one turn in which it may call tools: its model is asked until it answers
without a call, or the limits are met.

Recorded calls of tools are taken from the record, in order, and never run again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from arena.core import (
    ArenaError,
    CallOptions,
    Completion,
    DivergenceError,
    Message,
    Observation,
    ToolCall,
)
from arena.core.tools import ToolUse
from arena.llm.toolbox import ToolAnswer, Toolbox, echoed
from arena.llm.turn import TurnLLM

# Questions after the limits are met in which a model may still call instead of answering.
_LAST_QUESTIONS = 2
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")


class ToolLog(Protocol):
    """Where the calls of tools of one turn are recorded."""

    async def tool(self, use: ToolUse) -> None:
        """Takes a call. One without a result is committed when this returns; one with a result is
        committed before the next request leaves and before the game moves."""
        ...


class ToolTurn:
    """`llm` asks the model, `box` holds the seat's tools, `recorded` are the turn's calls of tools
    that are on record, in order. Without `live` the record must hold every call."""

    __slots__ = ("_box", "_llm", "_log", "_observation", "_recorded", "_spent", "_used", "live")

    def __init__(
        self,
        llm: TurnLLM,
        box: Toolbox,
        log: ToolLog,
        observation: Observation,
        *,
        recorded: Sequence[ToolUse] = (),
        live: bool = True,
    ) -> None:
        self._llm = llm
        self._box = box
        self._log = log
        self._observation = observation
        self._recorded = recorded
        self._used = 0
        self._spent = 0.0  # seconds
        self.live = live

    @property
    def last(self) -> Completion | None:
        return self._llm.last

    @property
    def error(self) -> ArenaError | None:
        return self._llm.error

    def close(self) -> None:
        """The turn is over."""
        self._llm.close()

    def unasked(self) -> int:
        """Recorded calls, of the model and of tools, that were not made."""
        return self._llm.unasked() + max(0, len(self._recorded) - self._used)

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        """Ask the agent's model, and run what it calls, until it answers.

        A call that the agent itself offers a function for is an answer. One for which the provider
        is to hold the model to a form (`response_format`) offers no tools. Raises what
        `TurnLLM.complete` does, and DivergenceError for a call of a tool that is not the recorded
        one.
        """
        if options is not None and options.response_format is not None:
            return await self._llm.complete(messages, options)
        own = _names(options)
        conversation: list[Message] = [*messages]
        left = _LAST_QUESTIONS
        while True:
            over = self._over()
            completion = await self._llm.complete(conversation, self._options(options, over=over))
            calls = completion.tool_calls
            left -= over
            if not calls or left <= 0 or any(call.name in own for call in calls):
                return completion
            try:
                conversation += await self._answered(completion)
            except ArenaError as error:
                self._llm.error = error
                raise

    def _options(self, options: CallOptions | None, *, over: bool) -> CallOptions:
        asked = options or CallOptions()
        choice = asked.tool_choice
        if choice is not None and not over:
            # The agent's own function, or a tool: which, is the model's to choose.
            choice = "required"
        return replace(asked, tools=(*asked.tools, *self._box.offered), tool_choice=choice)

    async def _answered(self, said: Completion) -> list[Message]:
        """What is sent after an answer that calls: that answer, and the result of each call."""
        most = self._box.limits.argument_characters
        asking: Message = {"role": "assistant", "content": said.text, "tool_calls": []}
        made, results = [], list[Message]()
        for call in said.tool_calls:
            number = self._used
            # Nine letters and digits, which is what every provider takes.
            call_id = f"call{number:05d}"
            use = await self._use(call)
            name = _NOT_IN_A_NAME.sub("_", call.name)[:64] or "unknown"
            function = {"name": name, "arguments": echoed(call.arguments, most)}
            made.append({"id": call_id, "type": "function", "function": function})
            result = use.result or "(nothing)"
            told = f"Error: {result}" if use.error else result
            results.append({"role": "tool", "tool_call_id": call_id, "content": told})
        asking["tool_calls"] = made
        if said.thinking_blocks:
            asking["thinking_blocks"] = said.thinking_blocks
        return [asking, *results]

    async def _use(self, call: ToolCall) -> ToolUse:
        number, self._used = self._used, self._used + 1
        before = self._recorded[number] if number < len(self._recorded) else None
        if before is not None:
            self._check_same(before, call)
        if before is not None and before.result is not None:
            self._box.recall(call.name, call.arguments, before.result, before.error)
            self._spent += (before.took_ms or 0.0) / 1e3
            return before
        if not self.live:
            raise DivergenceError(
                f"{self._llm.place}: call {number} of a tool was made and is not on record"
            )
        found = self._box.find(call.name)
        use = ToolUse(
            tool_index=number,
            call_number=self._llm.asked,
            tool="" if found is None else found.name,
            function=call.name,
            arguments=call.arguments[: self._box.limits.argument_characters + 1],
            called_at=datetime.now(UTC),
        )
        if before is not None:
            answer = ToolAnswer(
                "the call was interrupted, and nobody knows whether it was done", "interrupted"
            )
        elif (limit := self._limit(number)) is not None:
            answer = ToolAnswer(limit, "limit")
        else:
            if found is not None and not found.tool.repeatable:
                await self._log.tool(use)
            limits = self._box.limits
            seconds = min(limits.seconds, limits.turn_seconds - self._spent)
            answer = await self._box.run(
                call.name, call.arguments, self._observation, seconds, self._llm.lag
            )
        use = replace(use, result=answer.result, error=answer.error, took_ms=answer.took_ms)
        self._spent += answer.took_ms / 1e3
        await self._log.tool(use)
        return use

    def _over(self) -> bool:
        return self._limit(self._used) is not None

    def _limit(self, number: int) -> str | None:
        """What is said of a call that the limits leave no room for."""
        limits = self._box.limits
        if number >= limits.calls:
            return f"no more than {limits.calls} calls in a turn: answer now, without one"
        if self._spent >= limits.turn_seconds:
            return "the time for tools of this turn is over: answer now, without a call"
        return None

    def _check_same(self, before: ToolUse, call: ToolCall) -> None:
        arguments = call.arguments[: self._box.limits.argument_characters + 1]
        if (before.function, before.arguments) != (call.name, arguments):
            raise DivergenceError(
                f"{self._llm.place}: call {before.tool_index} of a tool was "
                f"{before.function[:64]!r} and is {call.name[:64]!r} now, or has other arguments"
            )


def _names(options: CallOptions | None) -> set[str]:
    tools = () if options is None else options.tools
    return {str(tool.get("function", {}).get("name")) for tool in tools}
