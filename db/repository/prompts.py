"""Prompts in the catalogue: added and forked; a row is never edited, one that was never played may
be replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Update, delete, insert, update
from sqlmodel import Session, col, select

from db.errors import DatabaseError
from db.models import Agent, Prompt
from db.repository.agents import refreshed
from db.repository.audit import record_change, state_of
from db.repository.rows import (
    added,
    apart,
    found_or_made,
    hashed,
    next_version,
    removed,
    switched,
    version_rows,
)

_NAME: Any = Prompt.name


class PromptRepository:
    session: Session

    def create_prompt(
        self, name: str, content: str, forked_from: int | None = None, active: bool = True
    ) -> Prompt:
        """A new prompt. Raises DatabaseError for a name that is taken."""
        row = Prompt(
            name=name,
            content=content,
            content_hash=hashed(content),
            forked_from=forked_from,
            active=active,
        )
        return added(self.session, row, f"the prompt {name!r}")

    def fork_prompt(self, prompt_id: int, name: str, content: str) -> Prompt:
        """A new prompt that remembers which one it was made from.

        Raises DatabaseError for a prompt that is not there, or a name that is taken.
        """
        if self.get_prompt_by_id(prompt_id) is None:
            raise DatabaseError(f"there is no prompt {prompt_id} to fork")
        return self.create_prompt(name, content, forked_from=prompt_id)

    def get_prompt_by_id(self, prompt_id: int) -> Prompt | None:
        return self.session.get(Prompt, prompt_id)

    def get_prompt_by_name(self, name: str) -> Prompt | None:
        return self.session.exec(select(Prompt).where(Prompt.name == name)).first()

    def get_prompt_versions(self, name: str) -> list[Prompt]:
        """The versions of a prompt, the first one first."""
        return version_rows(self.session, Prompt, _NAME, name)

    def next_prompt_version(self, name: str) -> str:
        """What the next version of a prompt is called; a new one has its name."""
        return next_version(self.session, Prompt, _NAME, name)

    def replace_prompt(
        self, prompt_id: int, name: str, content: str, forked_from: int | None
    ) -> Prompt:
        """Another prompt in the place of this one, with its number, its agents and its forks.
        Whether it may be changed is for the caller to know. Raises DatabaseError for a name that is
        taken.
        """
        session = self.session
        before = state_of(session, session.get_one(Prompt, prompt_id))
        rows = self._with_forks(prompt_id)
        rows[0] |= {
            "name": name,
            "content": content,
            "content_hash": hashed(content),
            "forked_from": forked_from,
        }
        with apart(session, f"the prompt {name!r} cannot be changed"):
            # The database lets nobody change a row, and deletes none that is referred to.
            moved = [(row["id"], self._stand_in()) for row in rows]
            for key, other in moved:
                session.execute(_move(key, other))
            for row in reversed(rows):
                session.execute(delete(Prompt).where(col(Prompt.id) == row["id"]))
            for row in rows:
                session.execute(insert(Prompt).values(row))
            for key, other in moved:
                session.execute(_move(other, key))
                session.execute(delete(Prompt).where(col(Prompt.id) == other))
            session.expire_all()
            after = state_of(session, session.get_one(Prompt, prompt_id))
            record_change(session, "prompts", prompt_id, name, "edit", before=before, after=after)
        refreshed(session, Agent.prompt_id == prompt_id)
        return session.get_one(Prompt, prompt_id)

    def _with_forks(self, prompt_id: int) -> list[dict[str, Any]]:
        """A prompt and the forks below it as they are stored, each after the one it was made
        from."""
        rows = [self.session.get_one(Prompt, prompt_id)]
        for row in rows:
            rows += self.session.exec(select(Prompt).where(Prompt.forked_from == row.id))
        return [{name: getattr(row, name) for name in Prompt.model_fields} for row in rows]

    def _stand_in(self) -> int:
        row = Prompt(name=f"stand-in {uuid4().hex}", content="", content_hash="")
        self.session.add(row)
        self.session.flush()
        assert row.id is not None
        return row.id

    def delete_prompt(self, prompt_id: int) -> None:
        """Delete a prompt. Raises DatabaseError for one that was forked, or that an agent has."""
        row = self.session.get_one(Prompt, prompt_id)
        removed(self.session, row, f"the prompt {row.name!r}")

    def get_prompts(self, active: bool | None = None) -> Sequence[Prompt]:
        """Prompts by name; with `active`, only those that are, or are not."""
        query = select(Prompt).order_by(Prompt.name)
        if active is not None:
            query = query.where(col(Prompt.active) == active)
        return self.session.exec(query).all()

    def get_active_prompts(self) -> Sequence[Prompt]:
        return self.get_prompts(active=True)

    def get_prompt_lineage(self, prompt_id: int) -> list[Prompt]:
        """The prompt, the one it was forked from, and so on back to the first."""
        line: list[Prompt] = []
        prompt = self.get_prompt_by_id(prompt_id)
        while prompt is not None:
            line.append(prompt)
            above = prompt.forked_from
            prompt = None if above is None else self.get_prompt_by_id(above)
        return line

    def get_or_create_prompt(self, name: str, content: str) -> Prompt:
        """The prompt of this name, made when there is none.

        Raises DatabaseError when the name belongs to another text.
        """
        found = found_or_made(
            lambda: self.get_prompt_by_name(name), lambda: self.create_prompt(name, content)
        )
        if found.content != content:
            raise DatabaseError(
                f"the prompt {name!r} has another text, and prompts are never edited: fork it "
                "under a new name"
            )
        return found

    def set_prompt_active(self, prompt_id: int, active: bool) -> Prompt | None:
        return switched(self.session, Prompt, prompt_id, active)


def _move(prompt_id: int, other: int) -> Update:
    """Give the agents of a prompt another one."""
    return update(Agent).where(col(Agent.prompt_id) == prompt_id).values(prompt_id=other)
