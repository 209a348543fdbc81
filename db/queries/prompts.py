"""Prompts as forks of each other, without their texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from db.models import Agent, Prompt


@dataclass(frozen=True, slots=True)
class PromptFork:
    """A prompt with the one it was forked from, `depth` forks from the first; it has so many
    `characters`, and `agents` are made with it."""

    prompt_id: int
    name: str
    parent_id: int | None
    active: bool
    created_at: datetime
    characters: int
    agents: int
    parent: str | None = None
    depth: int = 0


def prompt_tree(session: Session) -> list[PromptFork]:
    """Every prompt after its parent, forks in order of their making."""
    agents = (
        select(func.count(col(Agent.id)))
        .where(col(Agent.prompt_id) == col(Prompt.id))
        .correlate(Prompt)
        .scalar_subquery()
    )
    query: Any = select(
        col(Prompt.id), col(Prompt.name), col(Prompt.forked_from), col(Prompt.active),
        col(Prompt.created_at), func.length(col(Prompt.content)), agents,
    ).order_by(col(Prompt.id))  # fmt: skip
    rows = [PromptFork(*row) for row in session.execute(query)]
    names = {row.prompt_id: row.name for row in rows}
    forks: dict[int | None, list[PromptFork]] = {}
    for row in rows:
        forks.setdefault(row.parent_id, []).append(row)
    found: list[PromptFork] = []
    # Not by recursion: a lineage may be thousands of forks long.
    waiting = [(row, 0) for row in reversed(forks.get(None, []))]
    while waiting:
        row, depth = waiting.pop()
        parent = None if row.parent_id is None else names.get(row.parent_id)
        found.append(replace(row, parent=parent, depth=depth))
        waiting += [(fork, depth + 1) for fork in reversed(forks.get(row.prompt_id, []))]
    return found
