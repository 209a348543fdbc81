"""Suggestions: kept once each, decided upon by people, and measured by comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlmodel import Session, col, select

from db.errors import BadSuggestion
from db.models import SUGGESTION_STATUSES, Suggestion
from db.models.columns import clean_text
from db.repository.rows import added, edited, locked, removed

TRANSITIONS: Mapping[str, tuple[str, ...]] = {
    "open": ("accepted", "rejected"),
    "accepted": ("done", "rejected"),
    "rejected": ("open",),
    "done": ("open",),
}
"""What may become of a suggestion, by its status."""

SuggestionKept = Literal["added", "refreshed", "unchanged"]
LONGEST_REASON = 1000
_LOCK = 5204931870460813118


class SuggestionRepository:
    session: Session

    def keep_suggestion(
        self, key: str, category: str, description: str, impact: float, evidence: dict[str, Any]
    ) -> SuggestionKept:
        """Keep a finding under its key. One that is there is refreshed while it is open; what
        somebody has decided upon stays as it was decided upon."""
        locked(self.session, _LOCK)
        said: dict[str, Any] = {
            "category": clean_text(category), "description": clean_text(description),
            "impact": impact, "evidence": evidence,
        }  # fmt: skip
        what = f"the suggestion {key}"
        row = self.session.exec(select(Suggestion).where(Suggestion.key == key)).first()
        if row is None:
            added(
                self.session,
                Suggestion(key=key, history={"changes": [], "effects": []}, **said),
                what,
            )
            return "added"
        if row.status != "open" or all(getattr(row, name) == said[name] for name in said):
            return "unchanged"
        edited(self.session, row, what, **said, updated_at=datetime.now(UTC))
        return "refreshed"

    def get_suggestion_by_id(self, suggestion_id: int) -> Suggestion:
        """The suggestion as it is now. Raises BadSuggestion where there is none."""
        within = 0 < suggestion_id < 2**63
        row = (
            self.session.get(Suggestion, suggestion_id, populate_existing=True) if within else None
        )
        if row is None:
            raise BadSuggestion(
                f"there is no suggestion {suggestion_id}: `arena suggestions list` lists them, "
                "`arena insights --save` makes them"
            )
        return row

    def get_suggestions(self, status: str | None = None) -> Sequence[Suggestion]:
        """Suggestions with a status, or all: the greatest impact first. Raises BadSuggestion for
        what is no status."""
        query = select(Suggestion).order_by(col(Suggestion.impact).desc(), col(Suggestion.id))
        if status is not None:
            query = query.where(Suggestion.status == _status(status))
        return self.session.exec(query).all()

    def set_suggestion_status(
        self, suggestion_id: int, status: str, by: str, reason: str | None = None
    ) -> Suggestion:
        """The suggestion with another status; who changed it, when and why are kept. Raises
        BadSuggestion for a change that is not in TRANSITIONS."""
        status = _status(status)
        locked(self.session, _LOCK)
        row = self.get_suggestion_by_id(suggestion_id)
        before = row.status
        if status == before:
            raise BadSuggestion(f"suggestion {suggestion_id} is {status} already")
        if status not in TRANSITIONS[before]:
            raise BadSuggestion(
                f"suggestion {suggestion_id} is {before}: it may become "
                f"{' or '.join(TRANSITIONS[before])}, not {status}"
            )
        why = " ".join(clean_text(reason or "").split())
        if len(why) > LONGEST_REASON:
            raise BadSuggestion(
                f"the reason has {len(why):,} characters: expected at most {LONGEST_REASON:,}"
            )
        at = datetime.now(UTC)
        change = {
            "at": at.isoformat(), "by": clean_text(by), "from": before, "to": status,
            "reason": why or None,
        }  # fmt: skip
        history = row.history | {"changes": [*row.history["changes"], change]}
        what = f"suggestion {suggestion_id}"
        return edited(self.session, row, what, status=status, history=history, updated_at=at)

    def add_suggestion_effect(self, suggestion_id: int, effect: Mapping[str, Any]) -> Suggestion:
        """The suggestion with the effect that a comparison measured, in the place of an earlier
        one with the same `comparison`. Raises BadSuggestion for a suggestion that was rejected."""
        locked(self.session, _LOCK)
        row = self.get_suggestion_by_id(suggestion_id)
        self.check_measurable(row)
        effects = row.history["effects"]
        others = [each for each in effects if each["comparison"] != effect["comparison"]]
        history = row.history | {"effects": [*others, dict(effect)]}
        what = f"suggestion {suggestion_id}"
        return edited(self.session, row, what, history=history, updated_at=datetime.now(UTC))

    def check_measurable(self, row: Suggestion) -> None:
        """Raises BadSuggestion for a suggestion that was rejected."""
        if row.status == "rejected":
            raise BadSuggestion(
                f"suggestion {row.id} was rejected: `arena suggestions edit {row.id} --status "
                "open` opens it again"
            )

    def delete_suggestion(self, suggestion_id: int) -> None:
        """Forget a suggestion. Raises BadSuggestion where there is none."""
        locked(self.session, _LOCK)
        row = self.get_suggestion_by_id(suggestion_id)
        removed(self.session, row, f"suggestion {suggestion_id}")


def _status(given: str) -> str:
    if given not in SUGGESTION_STATUSES:
        raise BadSuggestion(
            f"{given!r} is no status of a suggestion: expected {', '.join(SUGGESTION_STATUSES)}"
        )
    return given
