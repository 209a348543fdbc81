"""Tools that an agent may call in its turn: what they are, and what is on record of a call.

A tool is given what its own seat observes and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from arena.core.environments import Observation
from arena.core.errors import UsageError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class ToolError(Exception):
    """A call that a tool refuses; the model is told the message and may call again."""


@dataclass(frozen=True, slots=True)
class ToolFunction:
    """What a model may call: `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "properties": {}}
    )

    def offered(self) -> Mapping[str, Any]:
        """The function as a request offers it, in OpenAI's form."""
        described = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": described}


class Tool(Protocol):
    """A tool at one seat of one game; it may remember between calls, which come one at a time.

    `version` goes up when it behaves differently. `functions` never change while it lives. With
    `repeatable` a call has no effect but on the tool's own memory, so that one whose end was not
    recorded is run again; without, it is on record before it is run, and is never run twice.
    """

    version: int
    repeatable: bool

    @property
    def functions(self) -> Sequence[ToolFunction]: ...

    def call(
        self, function: str, arguments: Mapping[str, Any], observation: Observation
    ) -> str | Awaitable[str]:
        """What the model is told. Raises ToolError for what it refuses; whatever else it raises is
        told to the model as a failure.

        An `async def` is awaited on the event loop that plays all games of the process, and must
        not hold it. A plain `def` may take its time: it is called in a thread, which should draw
        from a `random.Random` of its own, since games use the module's.
        """
        ...


@runtime_checkable
class Recalls(Protocol):
    """What a tool that remembers has besides."""

    def recall(self, function: str, arguments: Mapping[str, Any], result: str) -> None:
        """Takes a call that is on record, in the place of running it: afterwards the tool
        remembers what it did after it."""
        ...


@runtime_checkable
class ClosesTool(Protocol):
    """What a tool has besides that holds something open."""

    async def aclose(self) -> None:
        """Lets go of it; called once, when the game stops or ends."""
        ...


@runtime_checkable
class PinsOptions(Protocol):
    """What a factory has besides whose tools find out what they offer."""

    def pinned(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The options with what was found out, so that a tool that is made of them offers the same
        ever after; those that hold it already are as they are. Raises UsageError."""
        ...


class ToolFactory(Protocol):
    """Makes the tool of one seat of one game. Raises UsageError for options that it refuses."""

    version: int

    def __call__(self, **options: Any) -> Tool: ...


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """What the calls of a turn may take. `calls` is how many; `seconds` for each, `turn_seconds`
    for all of the turn; `argument_characters` and `result_characters` of each, beyond which
    arguments are refused and results are cut."""

    calls: int = 8
    seconds: float = 10.0
    turn_seconds: float = 30.0
    argument_characters: int = 20_000
    result_characters: int = 8_000


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool, as it is on record.

    `tool_index` counts the calls of the turn from 0, `call_number` says which question to the
    model asked for it. `tool` is the registered name, empty for a function that nobody offers.
    `result` is what the model was told, None while the call runs; `error` says of what kind it is
    where the call failed: `unknown`, `arguments`, `refused`, `failed`, `timeout`, `limit` or
    `interrupted`. Times are aware, UTC.
    """

    tool_index: int
    call_number: int
    tool: str
    function: str
    arguments: str
    called_at: datetime
    result: str | None = None
    error: str | None = None
    took_ms: float | None = None


ToolEntry = Mapping[str, Mapping[str, Any]]
"""A tool of an agent as it is on record: its registered name, with its options."""


def entries(written: Sequence[Any]) -> tuple[ToolEntry, ...]:
    """The tools of an agent as they are on record, from how they are written: a name, or a name
    with options. Raises UsageError."""
    found: list[ToolEntry] = []
    for each in written:
        entry = {each: {}} if isinstance(each, str) else each
        if not isinstance(entry, Mapping) or len(entry) != 1:
            raise UsageError(
                f"expected the name of a tool, or one name with its options, found {each!r:.80}: "
                "write `notes`, or `calculator: {digits: 12}`"
            )
        ((name, options),) = entry.items()
        options = {} if options is None else options
        if not isinstance(name, str) or not isinstance(options, Mapping):
            raise UsageError(
                f"expected options of the tool {name!r:.80} as keys and values, found "
                f"{options!r:.80}"
            )
        found.append({name: dict(options)})
    return tuple(found)


def checked_function(tool: str, function: ToolFunction) -> None:
    """Raises UsageError for a function that no provider would take."""
    if not _NAME.fullmatch(function.name):
        raise UsageError(
            f"the tool {tool!r} offers the function {function.name!r:.80}; expected a name of at "
            "most 64 letters, digits, '_' and '-'"
        )
