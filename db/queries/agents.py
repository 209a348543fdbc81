"""What agents are called, and their parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from db.models import Agent, Kind, Model, Prompt


@dataclass(frozen=True, slots=True)
class AgentNames:
    """An agent's name and the names of its parts; a kind's later versions are told apart."""

    name: str
    kind: str
    model: str
    prompt: str

    @property
    def parts(self) -> tuple[str, str, str]:
        """(kind, model, prompt)."""
        return self.kind, self.model, self.prompt


def agent_names(session: Session) -> dict[int, AgentNames]:
    """Every agent of the catalogue by agent_id."""
    query: Any = (
        select(
            col(Agent.id), col(Agent.alias), col(Kind.name), col(Kind.version), col(Model.name),
            col(Prompt.name),
        )
        .join(Kind, col(Kind.id) == Agent.kind_id)
        .join(Model, col(Model.id) == Agent.model_id)
        .join(Prompt, col(Prompt.id) == Agent.prompt_id)
    )  # fmt: skip
    found = {}
    for agent_id, alias, kind, version, model, prompt in session.execute(query):
        shown = kind if version == 1 else f"{kind} v{version}"
        found[agent_id] = AgentNames(alias or f"{kind}/{model}/{prompt}", shown, model, prompt)
    return found
