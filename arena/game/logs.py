"""What the game loop talks to: the logs of a game and of its turns, the `llm` handles of agents.

The loop knows no database and no provider, only these protocols.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from arena.core import LLM, Action, ArenaError, CallLog, Completion, Lapse, Observation, TargetHow
from arena.core.tools import ToolUse


@dataclass(frozen=True, slots=True)
class Acted:
    """What a player did: its `action`, the text that the rules are given for it (`submitted`),
    what was wrong with the turn, if anything was, and the `target` that its words were read to
    choose, with `how` that was told, where the rules asked for one."""

    action: Action
    submitted: str
    lapse: Lapse | None = None
    target: str | None = None
    how: TargetHow | None = None


class TurnLog(CallLog, Protocol):
    """Where one turn is recorded."""

    async def tool(self, use: ToolUse) -> None:
        """Takes a call of a tool. One without a result is committed when this returns; one with a
        result is committed before the next request leaves and before the game moves."""
        ...

    async def acted(self, acted: Acted) -> None:
        """Returns when the turn, its calls and its action are committed."""
        ...

    def refused(self) -> None:
        """The rules refused the action; committed with whatever comes next."""
        ...

    async def flush(self) -> None:
        """Commits what was taken but not yet written: the game stops in this turn."""
        ...


class GameLog(Protocol):
    """Where one game's turns are recorded."""

    def turn(self, observation: Observation) -> TurnLog:
        """The log of the turn that this observation opens."""
        ...


class Handle(LLM, Protocol):
    """The `llm` of one turn; `last` is the latest answer in it, `error` what it raised, if it
    raised anything: that ends the turn, whatever the agent makes of it."""

    @property
    def last(self) -> Completion | None: ...
    @property
    def error(self) -> ArenaError | None: ...

    def close(self) -> None:
        """The turn is over: nothing is asked through this handle any more."""
        ...


HandleFactory = Callable[[Observation, TurnLog], Handle]
"""Makes the handle of one turn from its observation and its log."""
