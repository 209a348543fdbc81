"""The kind `thinking`: one call a turn, from the prompt and everything the player has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from arena.agents import version_1
from arena.agents.answers import answer_mode
from arena.agents.chat import Chat
from arena.agents.options import choice, refuse_unknown
from arena.core import LLM, Action, AgentKind, Message, Observation
from arena.core.threads import read_aside
from arena.llm.thoughts import read


class Thinking:
    """The option `answer` says what of the model's text is the action (`arena.agents.answers`);
    thoughts never are. The option `history` says how the game is told: `whole`, all that was seen
    as one message, or `chat` (`arena.agents.chat`), with the player's own turns as the model's.

    Version 2 knows the thoughts of every family of models; version 1 those in `<think>`.
    """

    version = 2
    earlier: ClassVar[Mapping[int, AgentKind]] = {1: version_1.ThinkingV1}

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("thinking", options, ("answer", "history"))
        self._answer = answer_mode("thinking", options)
        self.act_options = self._answer.options
        self.reprompt(prompt)
        chat = choice("thinking", options, "history", ("whole", "chat")) == "chat"
        self._chat = Chat() if chat else None

    def reprompt(self, prompt: str) -> None:
        """The prompt from this turn on."""
        system = "\n\n".join(part for part in (prompt, self._answer.instruction) if part)
        self._system: list[Message] = [{"role": "system", "content": system}] if system else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """The user message is the observation and nothing else, so that it is stored once; in a
        chat it is what is new of it."""
        asked: list[Message] = [{"role": "user", "content": observation.text}]
        if self._chat is not None:
            asked = self._chat.asked(observation)
        completion = await llm.complete([*self._system, *asked], self.act_options)
        answer = completion.text
        action = await read_aside(answer, lambda: self._answer.action(completion))
        if self._chat is not None:
            said = await read_aside(answer, lambda: read(answer, unwrap=False))
            self._chat.said(said.text or action.text)
        return action
