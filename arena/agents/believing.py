"""The kind `believing`: says what it believes of every other player, and acts from that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from arena.agents.answers import answer_mode
from arena.agents.beliefs import question, read_beliefs
from arena.agents.options import refuse_unknown
from arena.core import LLM, Action, Message, Observation, UsageError
from arena.core.threads import read_aside
from arena.llm.thoughts import read

BELIEFS = "# Your beliefs"
ACT = """\
# Your task: act
It is your turn. Answer with what you say or do in the game, and with nothing else: the others \
read every word of it. Do not repeat your beliefs."""

_PLAYERS = 1_000


class Believing:
    """Two calls a turn: one says how likely every other player has each role, one acts. What was
    believed before is shown to both; beliefs that cannot be read leave the old ones in place. The
    turn's reading holds them, so that they are events, columns and a part of the game's page.

    Options: `answer` (`arena.agents.answers`), and `roles`, the names of the game's roles: without
    them the model names them by itself.
    """

    version = 1

    def __init__(self, *, prompt: str, options: Mapping[str, Any]) -> None:
        refuse_unknown("believing", options, ("answer", "roles"))
        self._answer = answer_mode("believing", options)
        self.act_options = self._answer.options
        self._roles = _roles(options)
        self._beliefs: dict[int, dict[str, float]] = {}
        self.reprompt(prompt)
        self._act = "\n\n".join(part for part in (ACT, self._answer.instruction) if part)

    def reprompt(self, prompt: str) -> None:
        """The prompt from this turn on."""
        self._system: list[Message] = [{"role": "system", "content": prompt}] if prompt else []

    async def act(self, observation: Observation, llm: LLM) -> Action:
        """Says what it believes, then acts."""
        completion = await llm.complete(self._asked(observation, question(self._roles)))
        said = await read_aside(completion.text, lambda: read(completion.text))
        found = read_beliefs(said.text, _PLAYERS, observation.player_index, self._roles)
        self._beliefs = found or self._beliefs
        answered = await llm.complete(self._asked(observation, self._act), self.act_options)
        action = await read_aside(answered.text, lambda: self._answer.action(answered))
        reading: dict[str, Any] = {"beliefs": _plain(self._beliefs)} if self._beliefs else {}
        if not found:
            reading["beliefs_read"] = "lost"
        return replace(action, reading={**(action.reading or {}), **reading} or None)

    def _asked(self, observation: Observation, task: str) -> list[Message]:
        known = f"\n\n{BELIEFS}\n{json.dumps(_plain(self._beliefs))}" if self._beliefs else ""
        content = f"{observation.text}{known}\n\n{task}"
        return [*self._system, {"role": "user", "content": content}]


def _plain(beliefs: Mapping[int, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {
        str(player): {role: round(chance, 4) for role, chance in chances.items()}
        for player, chances in beliefs.items()
    }


def _roles(options: Mapping[str, Any]) -> tuple[str, ...]:
    roles = options.get("roles", [])
    if not isinstance(roles, list | tuple) or not all(
        isinstance(role, str) and role.strip() for role in roles
    ):
        raise UsageError(
            f"the option 'roles' of the kind 'believing' is {roles!r}; expected a list of names, "
            "as in [Mafia, Doctor, Detective, Villager]"
        )
    return tuple(roles)
