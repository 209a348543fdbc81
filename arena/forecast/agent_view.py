"""An agent as an estimate sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arena.core import AgentSpec, ModelSpec
from arena.llm.scripted.policies import is_scripted


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent and its fingerprint, by which it is known on record."""

    spec: AgentSpec
    mark: str

    @property
    def model(self) -> ModelSpec:
        return self.spec.model

    @property
    def scripted(self) -> bool:
        """Whether its answers are known."""
        return is_scripted(self.model)


def models_of(agents: Mapping[int, AgentView]) -> list[ModelSpec]:
    """The models of agents, each once."""
    return [*{agent.model.name: agent.model for agent in agents.values()}.values()]
