"""What a leaderboard is asked: of which games, rated how, and what a row stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from arena.core import UsageError
from db.selection import Selection, several

By = Literal["agent", "model", "prompt", "kind"]
Errors = Literal["decided", "touched"]
"""Games that the last error decided, or out of which the rules threw a player for one."""

OFFICIAL = "probit"


@dataclass(frozen=True, slots=True)
class LeaderboardQuery:
    """The games of a `selection` are rated by a `system`: all of their seats, where it names a role
    or a team those for the skill in it alone. `overall` asks for one fit over all environments."""

    selection: Selection = field(default_factory=Selection)
    system: str = OFFICIAL
    exclude_errors: Errors | None = None
    overall: bool = False
    by: By = "agent"

    @property
    def role(self) -> str | None:
        """The role whose skill is asked for; None: all of them."""
        return next(iter(several(self.selection.role)), None)

    @property
    def team(self) -> str | None:
        """The team whose skill is asked for; None: all of them."""
        return next(iter(several(self.selection.team)), None)

    def check(self) -> None:
        """Raises UsageError for what cannot be asked together, BadSelection for what rated games
        cannot be chosen by."""
        self.selection.allow(
            "tournament", "environment", "role", "team", "termination", "since", "until",
            "revision", what="a leaderboard",
        )  # fmt: skip
        parts = [
            (noun, name)
            for noun in ("role", "team")
            for name in several(getattr(self.selection, noun))
        ]
        if len({noun for noun, _ in parts}) > 1:
            raise UsageError("ask for a --role or for a --team: a role has its team already")
        if len(parts) > 1:
            (noun, first), (_, second), *_ = parts
            raise UsageError(
                f"a rating is of one {noun} at a time, found {first!r} and {second!r}: ask twice"
            )
        part = parts[0][0] if parts else None
        if self.overall and part:
            raise UsageError(
                f"a {part} counts within its environment: give --{part} with --environment, or "
                "without --overall"
            )
        if self.overall and self.selection.environment:
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
