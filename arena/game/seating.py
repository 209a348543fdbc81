"""Seats agents: a fresh one at each place of a game, its prompt filled in.

At one place agents may follow each other, each from a turn on: that is what a branch is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from arena import registry
from arena.core import (
    LLM,
    Action,
    Agent,
    AgentKind,
    AgentSpec,
    Observation,
    PluginError,
    UsageError,
    prompts,
)


@dataclass(frozen=True, slots=True)
class Sitter:
    """An agent that sits at one place of a game from a turn on."""

    turn: int
    agent: AgentSpec


def sitting(sitters: Sequence[Sitter], turn_number: int) -> Sitter:
    """Which of the agents at one place plays a turn."""
    return next(s for s in reversed(sitters) if s.turn <= turn_number)


def kind_of(spec: AgentSpec) -> AgentKind:
    """The kind that plays as this agent. Raises UsageError when it is not installed in the version
    that the agent is made of."""
    try:
        return registry.kind(spec.kind, spec.kind_version)
    except PluginError:
        raise
    except UsageError as error:
        raise UsageError(f"the agent {spec.name!r} cannot be seated: {error}") from error


def seat(
    sitters: Sequence[Sitter], player_index: int, *, environment: str, num_players: int
) -> Callable[[], Agent]:
    """Makes fresh agents for one place of a game, as one. Raises UsageError for a kind that is not
    installed and for a prompt that cannot be filled in; what it returns raises what kinds raise."""
    ready = []
    for sitter in sitters:
        spec = sitter.agent
        variables = {
            "player_index": player_index,
            "num_players": num_players,
            "environment": environment,
            "agent": spec.name,
        }
        prompt = prompts.render(spec.prompt, variables)
        ready.append((sitter.turn, partial(kind_of(spec), prompt=prompt, options=spec.options)))

    def agent() -> Agent:
        made = [(turn, make()) for turn, make in ready]
        return made[0][1] if len(made) == 1 else Relay(made)

    return agent


@dataclass(slots=True)
class Relay:
    """Agents that follow each other at one place (`arena.core.Agent`), each from a turn on. One
    that comes later has seen nothing: at its first turn everything is new."""

    agents: Sequence[tuple[int, Agent]]
    _acting: Agent | None = field(default=None, init=False)

    async def act(self, observation: Observation, llm: LLM) -> Action:
        due = next(a for turn, a in reversed(self.agents) if turn <= observation.turn_number)
        if due is not self._acting:
            self._acting = due
            observation = replace(observation, new=observation.text)
        return await due.act(observation, llm)
