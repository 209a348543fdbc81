"""The kind `human`: a person acts. What the seat observes is all that the person is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.core import LLM, Action, Observation, UsageError

_OPTIONS = ("person", "time_limit")
_LONGEST_S = 31_536_000.0


class Human:
    """One question a turn, answered by a person, whose whole answer is the action.

    Options: `person`, the name of who holds the seat (by default that of the agent); `time_limit`,
    the seconds in which an answer is taken, by default any. Neither the prompt nor a time limit of
    the tournament means the person.
    """

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        for name in options:
            if name not in _OPTIONS:
                raise UsageError(
                    f"the kind 'human' has no option {name!r}; known: {', '.join(_OPTIONS)}"
                )
        person, limit = options.get("person"), options.get("time_limit")
        if person is not None and (not isinstance(person, str) or not person.strip()):
            raise UsageError(
                f"the option 'person' of the kind 'human' is {person!r}; expected a name"
            )
        if limit is not None and (
            isinstance(limit, bool)
            or not isinstance(limit, int | float)
            or not 0 < limit <= _LONGEST_S
        ):
            raise UsageError(
                f"the option 'time_limit' of the kind 'human' is {limit!r}; expected seconds, more "
                f"than 0 and at most {_LONGEST_S:,.0f}"
            )

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """What the person answered. Raises Suspend until that is there."""
        completion = await llm.complete([{"role": "user", "content": observation.text}])
        return Action(completion.text)
