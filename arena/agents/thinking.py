"""The kind `thinking`: one call a turn, from the prompt and everything the player has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.agents.answers import FORMS, action_of
from arena.agents.options import choice, refuse_unknown
from arena.core import LLM, Action, Message, Observation


class Thinking:
    """Remembers nothing of its own.

    Option `answer` says what of the model's text is the action: `whole` (default; `<think>`
    blocks are dropped), `last_line`, or `tag` (inside `<answer>`).
    """

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("thinking", options, ("answer",))
        self._answer = choice("thinking", options, "answer", FORMS)
        self._system: list[Message] = [{"role": "system", "content": prompt}] if prompt else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """The user message is the observation and nothing else, so that it is stored once."""
        completion = await llm.complete(
            [*self._system, {"role": "user", "content": observation.text}]
        )
        return Action(action_of(completion.text, self._answer))
