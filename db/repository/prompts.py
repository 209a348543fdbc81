"""Prompts in the catalogue: added and forked, never edited."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, select

from db.errors import DatabaseError
from db.models import Prompt
from db.repository.rows import added, found_or_made, hashed, switched


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
