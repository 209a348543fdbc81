"""What agents are called, and their parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from db.models import Agent, AgentTrueSkill, Kind, Model, Prompt, RatingPool
from db.selection import Selection
from db.versions import VersionedName

_agent_id: Any = col(Agent.id)


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


def agent_names(session: Session, agents: Collection[int] | None = None) -> dict[int, AgentNames]:
    """Every agent of the catalogue by agent_id, or those that are named."""
    query: Any = (
        select(
            col(Agent.id), col(Agent.alias), col(Kind.name), col(Kind.version), col(Model.name),
            col(Prompt.name),
        )
        .join(Kind, col(Kind.id) == Agent.kind_id)
        .join(Model, col(Model.id) == Agent.model_id)
        .join(Prompt, col(Prompt.id) == Agent.prompt_id)
    )  # fmt: skip
    if agents is not None:
        query = query.where(col(Agent.id).in_(agents))
    found = {}
    for agent_id, alias, kind, version, model, prompt in session.execute(query):
        shown = kind if version == 1 else f"{kind} v{version}"
        found[agent_id] = AgentNames(alias or f"{kind}/{model}/{prompt}", shown, model, prompt)
    return found


def rated_environments(session: Session, agents: Iterable[int]) -> dict[int, set[int]]:
    """The keys of the environments in which each of these agents has rated games."""
    found: dict[int, set[int]] = {agent: set() for agent in agents}
    query: Any = (
        select(col(AgentTrueSkill.agent_id), col(RatingPool.environment_id))
        .join(RatingPool, col(RatingPool.id) == AgentTrueSkill.pool_id)
        .where(col(AgentTrueSkill.agent_id).in_([*found]), col(AgentTrueSkill.games) > 0)
        .where(col(RatingPool.environment_id).is_not(None))
        .distinct()
    )
    for agent, environment in session.execute(query):
        found[agent].add(environment)
    return found


@dataclass(frozen=True, slots=True)
class PromptedAgent:
    """An agent's parts by their keys, the prompt by its name too, and the hash of its options."""

    agent_id: int
    kind_id: int
    model_id: int
    options_hash: str
    prompt_id: int
    prompt: str


def prompted(session: Session) -> list[PromptedAgent]:
    """Every agent of the catalogue."""
    query: Any = select(
        col(Agent.id),
        col(Agent.kind_id),
        col(Agent.model_id),
        col(Agent.options_hash),
        col(Agent.prompt_id),
        col(Prompt.name),
    ).join(Prompt, col(Prompt.id) == Agent.prompt_id)
    return [PromptedAgent(*row) for row in session.execute(query)]


def prompt_texts(session: Session, prompts: Iterable[int]) -> dict[int, str]:
    """The texts of prompts by their keys."""
    query: Any = select(col(Prompt.id), col(Prompt.content)).where(col(Prompt.id).in_({*prompts}))
    return {int(key): text for key, text in session.execute(query)}


@dataclass(frozen=True, slots=True)
class CatalogueAgent:
    """An agent as a list shows it, with the keys of its model and prompt."""

    agent_id: int
    name: str
    kind: str
    model_id: int
    model: str
    prompt_id: int
    prompt: str
    active: bool


def catalogue_agents(session: Session, selection: Selection | None = None) -> list[CatalogueAgent]:
    """The agents of a selection, in order of making. Raises BadSelection for what is not on record,
    and for anything but agents and their parts."""
    selection = selection or Selection()
    selection.allow("agent", "kind", "model", "prompt", what="agents")
    query: Any = (
        select(
            col(Agent.id), col(Agent.alias), col(Kind.name), col(Kind.version), col(Model.id),
            col(Model.name), col(Prompt.id), col(Prompt.name), col(Agent.active),
        )
        .join(Kind, col(Kind.id) == Agent.kind_id)
        .join(Model, col(Model.id) == Agent.model_id)
        .join(Prompt, col(Prompt.id) == Agent.prompt_id)
        .where(*selection.on(session).of_agents(_agent_id))
        .order_by(col(Agent.id))
    )  # fmt: skip
    return [
        CatalogueAgent(
            key, alias or f"{kind}/{model}/{prompt}", VersionedName(kind, version).label,
            model_id, model, prompt_id, prompt, active,
        )
        for key, alias, kind, version, model_id, model, prompt_id, prompt, active in (
            session.execute(query)
        )
    ]  # fmt: skip
