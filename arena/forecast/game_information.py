"""How an environment seats its players, and what a game of two agents then says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from typing import get_args

from arena import registry
from arena.core import Part, Ratings, UsageError, seat_role
from arena.core.ratings import BETA
from arena.orchestrator.lookup import Rules, team_sizes
from arena.stats.plan import Forecast, SeatingName, information

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""

_TENTH = 1.2815515655446004


@dataclass(frozen=True, slots=True)
class InformationTable:
    """How a game seats its players: `teams` are the seats of each, `lean` the probability that the
    first wins among equals."""

    name: str
    teams: Sequence[int]
    lean: float
    noise: float

    def informations(self, wanted: str | None) -> list[tuple[SeatingName, float]]:
        """What a game of two agents adds to their difference, by seating: those that this
        environment allows, or the one that is wanted. Raises UsageError for one that it does not
        allow."""
        known: tuple[SeatingName, ...] = get_args(SeatingName)
        if wanted is not None and wanted not in known:
            raise UsageError(registry.unknown("seating", wanted, list(known)))
        allowed = [seating for seating in known if self._allows(seating)]
        if wanted is not None and wanted not in allowed:
            raise UsageError(
                f"--seating {wanted} needs "
                f"{'two teams' if wanted == 'clones' else 'teams'}, which {self.name} does not "
                f"have: say {' or '.join(allowed)}"
            )
        return [
            (seating, information(seating, self.teams, noise=self.noise, lean=self.lean))
            for seating in allowed
            if wanted in (None, seating)
        ]

    def _allows(self, seating: SeatingName) -> bool:
        together = max(self.teams) > 1
        if seating == "clones":
            return together and len(self.teams) == 2
        return together if seating == "opposite" else True

    def edge(self, effect: float) -> float:
        """The difference of two agents' skills that gives the better the score `effect` where one
        seat of each faces the other's, among equals."""
        from scipy.special import ndtri

        seats = sum(self.teams)
        facing = seats if len(self.teams) == 2 else 2 * seats / len(self.teams)
        return float(ndtri(effect)) * self.noise * sqrt(facing)


def table_of(rules: Rules, ratings: Ratings | None) -> InformationTable:
    parts = rules.parts()
    noise = BETA if ratings is None else ratings.noise
    return InformationTable(rules.name, team_sizes(parts), lean_of(parts, ratings), noise)


def lean_of(parts: Sequence[Part], ratings: Ratings | None) -> float:
    """How likely the first team wins among equals, by the fitted sides; an even game where nothing
    is known, or where there are more than two teams."""
    from scipy.special import ndtr

    if ratings is None or len(team_sizes(parts)) != 2:
        return 0.5
    gap = 0.0
    for place, part in enumerate(parts):
        first = place == 0 if len(parts) == 2 else part.team == parts[0].team
        at = ratings.terms.get(("side", seat_role(part.role, place)))
        side = 0.0 if at is None else float(ratings.mean[at])
        gap += side if first else -side
    chance = float(ndtr(gap / (ratings.noise * sqrt(len(parts)))))
    # Beyond that a fit of few games says more than it knows.
    return min(max(chance, 0.02), 0.98)


def spread(seating: str, each: float, agents: int, players: int) -> float:
    """What a game of a schedule adds on average to the difference of two given ones of its
    `agents`. Of duels that go round evenly, n games make the variance of a difference
    (agents - 1) / (n * each), those against others counted; in a pool a seat is an agent's with
    the probability players / agents."""
    if seating == "random":
        return each * 2 * min(players / agents, 1.0)
    return each / max(agents - 1, 1)


def stated(edge: float, each: float, price: float | None) -> Forecast:
    """The games until the interval of a difference that is `edge` in truth leaves 0, from nothing
    known: n games separate it with the probability that a normal variable around edge * sqrt(n *
    each) exceeds 1.96."""
    low, middle, high = (
        float(ceil(max(Z + quantile, 0.0) ** 2 / (edge**2 * each))) if each > 0 else inf
        for quantile in (-_TENTH, 0.0, _TENTH)
    )
    costs = [None if price is None else games * price for games in (middle, low, high)]
    return Forecast(middle, low, high, False, *costs)
