"""A seat's own score beside the result of its game: evidence of luck, and none of skill.

Where six play and two sides win, most of a result is what the others did. A number that tells how
well a seat's own game went, beyond what was to be expected of whoever sat there, makes ratings and
comparisons more certain and leaves what they estimate as it is: a control variate. That holds only
if its expectation is fixed before the game. So a covariate is asked twice: for what it expects, of
which it is told what is known before the game, and for what came of it. Neither says who sat there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from arena.core.events import Event

CHANCE = ("deal",)
"""The kinds of event that chance does to a seat. What players do, and what comes of it, has no
expectation that is fixed before the game: of it no covariate is told."""


@dataclass(frozen=True, slots=True)
class SeatDealt:
    """What is known of a seat before the first turn; the role and team where the rules have any."""

    player_index: int
    role: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class SeatScored:
    """A seat of a finished game: how it was `dealt`, and numbers on record of it by name, as
    `turns`, `targets` and `eliminated_turn`; what is not known is missing. `chance` are the events
    that a covariate asks for and that chance did to this seat, in order."""

    dealt: SeatDealt
    facts: Mapping[str, float] = field(default_factory=dict)
    chance: Sequence[Event] = ()


class Covariate(Protocol):
    """A plug-in of the group `arena.covariates`: a factory without arguments makes it.

    One that wants events has `events`, the names of kinds of CHANCE, and is asked only about games
    whose events are on record.
    """

    def expected(self, environment: str, seats: Sequence[SeatDealt]) -> Sequence[float]:
        """For every seat in order of player_index the score to be expected of whoever sits
        there."""
        ...

    def scored(self, environment: str, seats: Sequence[SeatScored]) -> Sequence[float | None]:
        """For every seat the score that came of it; None where it cannot be told."""
        ...
