"""The kind `thinking`: one call a turn, from the prompt and everything the player has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from arena.agents import version_1
from arena.agents.answers import answer_mode
from arena.agents.options import refuse_unknown
from arena.core import LLM, Action, AgentKind, Message, Observation


class Thinking:
    """Remembers nothing of its own. The option `answer` says what of the model's text is the
    action (`arena.agents.answers`); thoughts never are.

    Version 2 knows the thoughts of every family of models; version 1 those in `<think>`.
    """

    version = 2
    earlier: ClassVar[Mapping[int, AgentKind]] = {1: version_1.ThinkingV1}

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("thinking", options, ("answer",))
        self._answer = answer_mode("thinking", options)
        system = "\n\n".join(part for part in (prompt, self._answer.instruction) if part)
        self._system: list[Message] = [{"role": "system", "content": system}] if system else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """The user message is the observation and nothing else, so that it is stored once."""
        completion = await llm.complete(
            [*self._system, {"role": "user", "content": observation.text}], self._answer.options
        )
        return self._answer.action(completion)
