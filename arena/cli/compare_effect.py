"""What `arena compare --for-suggestion` writes beside a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.cli.output import tell
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from arena.compare import Comparison


@dataclass(frozen=True, slots=True)
class MeasuredSuggestion:
    """The suggestion whose effect is measured, in the database `db`; None for none. `where` says
    which games on record are asked, where these are."""

    id: int | None
    db: str | None
    where: str = ""

    def check(self) -> None:
        """Raises BadSuggestion for a suggestion that is not there, or was rejected: before
        anything is played."""
        if self.id is None:
            return
        from db import Repository

        with reading(self.db) as session:
            repo = Repository(session)
            repo.check_measurable(repo.get_suggestion_by_id(self.id))

    def record(self, found: Comparison) -> None:
        """Write down what was found."""
        if self.id is None:
            return
        from arena.compare.effect import record_effect
        from db.login import login_name

        with reading(self.db) as session:
            record_effect(session, self.id, found, login_name() or "unknown", self.where)
        tell(f"written beside suggestion {self.id}: `arena suggestions show {self.id}`")
