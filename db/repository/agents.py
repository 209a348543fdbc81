"""Agents in the catalogue: unique by kind, model, prompt and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.base import ExecutableOption
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from db.errors import DatabaseError
from db.models import Agent, Kind, Model, Prompt
from db.repository.rows import (
    added,
    edited,
    found_or_made,
    hashed,
    next_version,
    plain,
    removed,
    switched,
    version_rows,
)

_ALIAS: Any = Agent.alias


def fingerprint(kind: Kind, model: Model, prompt: Prompt, options: Mapping[str, Any]) -> str:
    """What names an agent in every database: a hash of all that changes how it plays.

    Its name, its prices, its key and whether its answers are streamed do not.
    """
    return hashed(
        [kind.name, kind.version],
        [model.litellm_model_name, model.params, model.api_base, *filter(None, [model.system])],
        prompt.content,
        plain(options),
    )


class AgentRepository:
    session: Session

    def create_agent(
        self,
        kind_id: int,
        model_id: int,
        prompt_id: int,
        alias: str | None = None,
        class_: str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        active: bool = True,
    ) -> Agent:
        """A new agent. Raises DatabaseError for a part that is not there, or an agent or alias
        that is."""
        parts = (
            self.session.get(Kind, kind_id),
            self.session.get(Model, model_id),
            self.session.get(Prompt, prompt_id),
        )
        kind, model, prompt = parts
        if kind is None or model is None or prompt is None:
            missing = [
                f"{name} {key}"
                for name, key, part in zip(
                    ("kind", "model", "prompt"), (kind_id, model_id, prompt_id), parts, strict=True
                )
                if part is None
            ]
            raise DatabaseError(f"an agent needs what is in the catalogue: no {', '.join(missing)}")
        row = Agent(
            kind_id=kind_id,
            model_id=model_id,
            prompt_id=prompt_id,
            options=plain(options),
            options_hash=hashed(plain(options)),
            alias=alias,
            class_=class_,
            fingerprint=fingerprint(kind, model, prompt, plain(options)),
            active=active,
        )
        name = alias or f"{kind.name}/{model.name}/{prompt.name}"
        return added(self.session, row, f"the agent {name!r}")

    def get_agent_by_id(self, agent_id: int, with_relations: bool = False) -> Agent | None:
        """The agent; with relations, its kind, model and prompt are loaded with it."""
        if not with_relations:
            return self.session.get(Agent, agent_id)
        return self.session.exec(_whole().where(Agent.id == agent_id)).first()

    def get_agent_by_alias(self, alias: str) -> Agent | None:
        return self.session.exec(_whole().where(Agent.alias == alias)).first()

    def get_agent_by_fingerprint(self, fingerprint: str) -> Agent | None:
        """The agent that plays like this; the first, where copies of a part make several."""
        query = _whole().where(Agent.fingerprint == fingerprint).order_by(col(Agent.id))
        return self.session.exec(query).first()

    def get_agent_by_config(
        self,
        kind_id: int,
        model_id: int,
        prompt_id: int,
        options: Mapping[str, Any] | None = None,
    ) -> Agent | None:
        query = _whole().where(
            Agent.kind_id == kind_id,
            Agent.model_id == model_id,
            Agent.prompt_id == prompt_id,
            Agent.options_hash == hashed(plain(options)),
        )
        return self.session.exec(query).first()

    def get_or_create_agent(
        self,
        kind_id: int,
        model_id: int,
        prompt_id: int,
        alias: str | None = None,
        class_: str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
    ) -> Agent:
        """The agent of this configuration, whatever its alias; made when there is none."""
        parts = (kind_id, model_id, prompt_id)
        return found_or_made(
            lambda: self.get_agent_by_config(*parts, options),
            lambda: self.create_agent(*parts, alias, class_, options=options),
        )

    def get_agents(self, active: bool | None = None) -> Sequence[Agent]:
        """Agents in the order in which they were added, with kind, model and prompt."""
        query = _whole().order_by(col(Agent.id))
        if active is not None:
            query = query.where(col(Agent.active) == active)
        return self.session.exec(query).all()

    def get_active_agents(self) -> Sequence[Agent]:
        return self.get_agents(active=True)

    def get_agent_versions(self, alias: str) -> list[Agent]:
        """The versions of an agent, the first one first."""
        return version_rows(self.session, Agent, _ALIAS, alias)

    def next_agent_version(self, alias: str) -> str:
        """What the next version of an agent is called; a new one has its name."""
        return next_version(self.session, Agent, _ALIAS, alias)

    def edit_agent(
        self,
        agent_id: int,
        kind_id: int,
        model_id: int,
        prompt_id: int,
        alias: str | None,
        *,
        options: Mapping[str, Any] | None = None,
    ) -> Agent:
        """Make an agent of other parts. Whether it may be changed is for the caller to know. Raises
        DatabaseError where another agent is made of them, or has the name."""
        row = self.session.get_one(Agent, agent_id)
        edited(
            self.session,
            row,
            f"the agent {row.label!r}",
            kind_id=kind_id,
            model_id=model_id,
            prompt_id=prompt_id,
            alias=alias,
            options=plain(options),
            options_hash=hashed(plain(options)),
        )
        refreshed(self.session, Agent.id == agent_id)
        return row

    def delete_agent(self, agent_id: int) -> None:
        """Delete an agent. Raises DatabaseError for one that has a seat in a game."""
        row = self.session.get_one(Agent, agent_id)
        removed(self.session, row, f"the agent {row.label!r}")

    def get_random_agents(self, count: int) -> Sequence[Agent]:
        """At most `count` different active agents; the database draws them."""
        query = _whole().where(col(Agent.active)).order_by(func.random()).limit(count)
        return self.session.exec(query).all()

    def set_agent_active(self, agent_id: int, active: bool) -> Agent | None:
        return switched(self.session, Agent, agent_id, active)


def refreshed(session: Session, which: Any) -> None:
    """The agents of a condition, read again with their parts: whose fingerprints are those of what
    they are made of now."""
    session.flush()
    query = _whole().where(which).execution_options(populate_existing=True)
    for row in session.exec(query):
        row.fingerprint = fingerprint(row.kind, row.model, row.prompt, row.options)
    session.flush()


def with_parts() -> tuple[ExecutableOption, ...]:
    """The options of a statement that loads agents with what they are made of."""
    return (
        selectinload(Agent.kind),  # type: ignore[arg-type]
        selectinload(Agent.model),  # type: ignore[arg-type]
        selectinload(Agent.prompt),  # type: ignore[arg-type]
    )


def _whole() -> SelectOfScalar[Agent]:
    return select(Agent).options(*with_parts())
