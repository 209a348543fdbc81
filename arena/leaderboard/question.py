"""What a leaderboard is asked: which games, rated how, and what a row stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from arena.core import UsageError

By = Literal["agent", "model", "prompt", "kind"]
OFFICIAL = "probit"


@dataclass(frozen=True, slots=True)
class Question:
    """None asks for everything. `role` and `team` ask for skill in one role or team; `since` for
    games that finished then or later; `overall` for one fit over all environments."""

    system: str = OFFICIAL
    environment: str | None = None
    tournament: str | None = None
    role: str | None = None
    team: str | None = None
    since: datetime | None = None
    exclude_errors: bool = False
    overall: bool = False
    by: By = "agent"

    def check(self) -> None:
        """Raises UsageError for what cannot be asked together."""
        if self.role is not None and self.team is not None:
            raise UsageError("ask for a --role or for a --team: a role has its team already")
        part = "role" if self.role is not None else "team" if self.team is not None else None
        if self.overall and part:
            raise UsageError(
                f"a {part} counts within its environment: give --{part} with --environment, or "
                "without --overall"
            )
        if self.overall and self.environment is not None:
            raise UsageError("--overall is over all environments: leave out --environment")
        if self.by == "agent":
            return
        if part:
            raise UsageError(
                f"--by {self.by} is skill over all roles: leave out --{part}, or --by {self.by}"
            )
        if self.overall:
            raise UsageError(
                f"--by {self.by} is within an environment: leave out --overall, or --by {self.by}"
            )
        if self.system != OFFICIAL:
            raise UsageError(
                f"--by {self.by} is one fit of parts and agents, which {self.system} is not: leave "
                "out --system"
            )


def moment(text: str) -> datetime:
    """A date or a time in ISO 8601; without a zone it is the reader's own.

    Raises UsageError for what is none.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"expected a date such as 2026-01-31 or a time such as 2026-01-31T18:00+01:00, found "
            f"{text!r}"
        ) from None
    try:
        return found.astimezone()
    except (OverflowError, ValueError, OSError):
        raise UsageError(f"{text!r} is no date that games can have finished at") from None
