"""What a leaderboard is asked: of which games, rated how, and what a row stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from arena.core import UsageError
from arena.leaderboard.weights import Weights
from db.selection import Selection, several

By = Literal["agent", "model", "prompt", "kind"]
Errors = Literal["decided", "touched"]
"""Games that the last error decided, or out of which the rules threw a player for one."""

ErrorsAs = Literal["loss", "draw", "range"]
"""What a game counts as that an agent's error decided: what it led to, or a draw; range: both."""

OFFICIAL = "probit"

CONDITIONED = (
    "leaving out the games that an error decided chooses games by their result: an agent that errs "
    "when it is losing gains by it. --errors-as range shows every rating with these games as the "
    "losses that they led to, and as draws"
)

BY_TERMINATION = (
    "games are chosen by how they ended, and that depends on who was winning: an agent whose lost "
    "games end otherwise gains by it"
)


@dataclass(frozen=True, slots=True)
class LeaderboardQuery:
    """The games of a `selection` are rated by a `system`: all of their seats, where it names a role
    or a team those for the skill in it alone. `overall` asks for one fit over all environments,
    `weights` for what each of these counts, None: equal where the system can tell them apart;
    `nash` asks for deviation ratings as well. `exclude_errors` leaves games out, `errors_as` counts
    them all: as what they led to, as draws, or the one with the other beside it. `anchor` is an
    agent, by name or number, that stands at 25 instead of its pool's mean. `covariate` is the name
    of one whose scores make ratings more certain."""

    selection: Selection = field(default_factory=Selection)
    system: str = OFFICIAL
    exclude_errors: Errors | None = None
    errors_as: ErrorsAs = "loss"
    overall: bool = False
    by: By = "agent"
    anchor: str | int | None = None
    nash: bool = False
    weights: Weights | None = None
    covariate: str | None = None

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
            "revision", "tag", what="a leaderboard",
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
        if self.exclude_errors and self.errors_as != "loss":
            raise UsageError(
                f"--errors-as {self.errors_as} counts the games that --exclude-errors leaves out: "
                "give one of the two"
            )
        if self.errors_as == "range" and self.by != "agent":
            raise UsageError(
                f"--errors-as range is of agents: leave out --by {self.by}, or ask twice, with "
                "--errors-as loss and with --errors-as draw"
            )
        if self.overall and part:
            raise UsageError(
                f"a {part} counts within its environment: give --{part} with --environment, or "
                "without --overall"
            )
        if self.overall and self.selection.environment:
            raise UsageError("--overall is over all environments: leave out --environment")
        if self.nash and (part or self.by != "agent"):
            raise UsageError(
                "--nash is about agents over all roles: leave out --role, --team and --by, or "
                "--nash"
            )
        if self.covariate is not None and (self.by != "agent" or self.system != OFFICIAL):
            raise UsageError(
                f"--covariate is for ratings of agents by {OFFICIAL}: leave out --by and --system, "
                "or --covariate"
            )
        if self.weights is not None and not self.overall:
            raise UsageError("--weights are of the environments of one board: add --overall")
        if self.by == "agent":
            return
        if self.anchor is not None:
            raise UsageError(
                f"--anchor is an agent, and these are ratings of each {self.by}: leave out "
                f"--anchor, or --by {self.by}"
            )
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
