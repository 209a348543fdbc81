"""Seats agents: a fresh one at each place of a game, its prompt filled in.

At one place agents may follow each other, each from a turn on: that is what a branch is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from arena import registry
from arena.core import (
    LLM,
    Action,
    Agent,
    AgentKind,
    AgentSpec,
    ArenaError,
    Observation,
    PluginError,
    TakesPlace,
    UsageError,
    prompts,
)
from arena.core.memory import Memory, TakesMemory
from arena.core.tools import ToolLimits
from arena.game.rules import GuardedRules
from arena.llm.toolbox import Toolbox


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


def remembering_kind(name: str) -> bool:
    """Whether agents of a kind take a memory of earlier games; of one that is not installed nobody
    knows, and it is False."""
    try:
        kind = registry.load("agents", name)
    except ArenaError:
        return False
    return hasattr(kind, "remember")


def toolbox(spec: AgentSpec) -> Toolbox | None:
    """The tools of an agent, fresh for one seat of one game; None where it has none. Raises
    UsageError for one that is not installed, or not in the version that the agent is made of."""
    if not spec.tools:
        return None
    return registry.toolbox(spec.tools, ToolLimits(**spec.tool_limits))


def seat(
    sitters: Sequence[Sitter],
    player_index: int,
    *,
    environment: str,
    rules: GuardedRules,
    memory: Memory | None = None,
) -> Callable[[], Agent]:
    """Makes fresh agents for one place of a game, as one; `memory` is the first one's. Raises
    UsageError for a kind that is not installed and for a prompt that cannot be filled in; what it
    returns raises what kinds raise."""
    ready: list[tuple[int, Callable[[], Agent]]] = []
    for sitter in sitters:
        spec = sitter.agent
        prompts.check(spec.prompt, spec.vars)
        used = prompts.used(spec.prompt)
        variables: dict[str, object] = {
            "player_index": player_index,
            "num_players": rules.num_players,
            "environment": environment,
            "agent": spec.name,
        }
        if "players" in used:
            variables["players"] = ", ".join(rules.player_names())
        make = partial(
            _placed,
            kind_of(spec),
            environment,
            rules.num_players,
            None if ready else memory,
            options=spec.options,
        )
        if any(name in used for name in prompts.TOLD):
            prompts.check_told(spec.prompt, environment, rules.tells)
            ready.append((sitter.turn, partial(Told, spec, variables, make, rules)))
        else:
            prompt = prompts.render(spec.prompt, variables, spec.vars)
            ready.append((sitter.turn, partial(make, prompt=prompt)))

    def agent() -> Agent:
        made = [(turn, make()) for turn, make in ready]
        return made[0][1] if len(made) == 1 else Relay(made)

    return agent


def _placed(
    kind: AgentKind, environment: str, num_players: int, memory: Memory | None, **how: Any
) -> Agent:
    """An agent that knows where it plays (`arena.core.TakesPlace`) and what it brings of earlier
    games (`arena.core.memory.TakesMemory`), if it wants to."""
    made = kind(**how)
    if memory is not None and isinstance(made, TakesMemory):
        made.remember(memory)
    if isinstance(made, TakesPlace):
        made.seated(environment, num_players)
    return made


@dataclass(slots=True)
class Told:
    """An agent whose prompt says what the game has told the player (`arena.core.Agent`). It is made
    at its first turn, when there is something to tell."""

    spec: AgentSpec
    variables: Mapping[str, object]
    make: Callable[..., Agent]
    rules: GuardedRules
    _prompt: str = field(default="", init=False)
    _agent: Any = field(default=None, init=False)

    @property
    def acting(self) -> Agent | None:
        """The agent, once it is made."""
        made: Agent | None = self._agent
        return made

    async def act(self, observation: Observation, llm: LLM) -> Action:
        known = self.rules.known(observation.text)
        variables = {**self.variables, **{name: getattr(known, name) for name in prompts.TOLD}}
        prompt = prompts.render(self.spec.prompt, variables, self.spec.vars)
        if self._agent is None:
            self._agent = self.make(prompt=prompt)
        elif prompt != self._prompt:
            self._agent.reprompt(prompt)
        self._prompt = prompt
        action: Action = await self._agent.act(observation, llm)
        return action


@dataclass(slots=True)
class Relay:
    """Agents that follow each other at one place (`arena.core.Agent`), each from a turn on. One
    that comes later has seen nothing: at its first turn everything is new."""

    agents: Sequence[tuple[int, Agent]]
    _acting: Agent | None = field(default=None, init=False)

    @property
    def acting(self) -> Agent | None:
        """The agent that played last."""
        return self._acting

    async def act(self, observation: Observation, llm: LLM) -> Action:
        due = next(a for turn, a in reversed(self.agents) if turn <= observation.turn_number)
        if due is not self._acting:
            self._acting = due
            observation = replace(observation, new=observation.text)
        return await due.act(observation, llm)
