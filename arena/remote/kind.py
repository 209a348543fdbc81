"""The kind `remote`: a program that somebody else writes plays, and is told what it observes.

It asks the model of its agent once a turn, and the model's provider is `remote`, which hands the
two messages to the program: where it sits, as JSON, and what it has seen. Nothing else is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from arena.core import LLM, Action, Message, Observation, UsageError
from arena.remote.protocol import SESSION


class Remote:
    """The session is the program's name for this seat of this game. It comes with the first answer,
    so that it is on record, and a game that is resumed goes on in it."""

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        for name in options:
            raise UsageError(
                f"the kind 'remote' has no option {name!r}: where its program is, is said by its "
                "model (`api_base`, or `command` in its params); see docs/remote-agents.md"
            )
        self._prompt = prompt
        self._place: dict[str, Any] = {"environment": None, "num_players": None}
        self._session: str | None = None

    def reprompt(self, prompt: str) -> None:
        """The instructions from this turn on."""
        self._prompt = prompt

    def seated(self, environment: str, num_players: int) -> None:
        """Where it plays (`arena.core.TakesPlace`)."""
        self._place = {"environment": environment, "num_players": num_players}

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """The action is the program's, word for word."""
        text, new = observation.text, observation.new
        self._place["player_index"] = observation.player_index
        place = {
            **self._place,
            "turn_number": observation.turn_number,
            "new": len(new) if text.endswith(new) else new,
        }
        if self._prompt:
            place["instructions"] = self._prompt
        if self._session is not None:
            place[SESSION] = self._session
        asked: list[Message] = [
            {"role": "system", "content": orjson.dumps(place).decode()},
            {"role": "user", "content": text},
        ]
        completion = await llm.complete(asked)
        for call in completion.tool_calls:
            if call.name == SESSION:
                self._session = call.arguments
        return Action(completion.text, completion.thoughts)

    def ended(self, result: Mapping[str, Any]) -> Sequence[Message] | None:
        """How the game has ended for its seat (`arena.core.HearsResult`)."""
        if self._session is None:
            return None
        place = {**self._place, SESSION: self._session, **result}
        return [{"role": "system", "content": orjson.dumps(place).decode()}]
