"""The kind `terse`: one call a turn, and only the last line of the answer counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.core import LLM, Action, Observation, UsageError


class Terse:
    """Tells the model to end with its action on a line of its own."""

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        if options:
            raise UsageError(f"the kind 'terse' has no options, found {sorted(options)}")
        self._system = f"{prompt}\nEnd with your action on a line of its own."

    async def act(self, observation: Observation, llm: LLM) -> Action:
        answer = await llm.complete(
            [
                {"role": "system", "content": self._system},
                {"role": "user", "content": observation.text},
            ]
        )
        lines = answer.text.strip().splitlines()
        return Action(lines[-1] if lines else "")
