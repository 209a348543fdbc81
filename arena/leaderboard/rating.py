"""Rates a set of games by a registered system, over all roles or in one role or team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from arena.core import Games, PluginError, Ratings, UsageError
from arena.core.arrays import Floats
from arena.leaderboard.scopes import Scope
from arena.leaderboard.weights import weighed
from arena.record.rating_columns import rating_columns
from arena.registry import described, guarded, rating, unknown
from db.queries.played import NOTHING, PlayedGames


@dataclass(frozen=True, slots=True)
class Fit:
    """Ratings of a set of games, asked by agent_id. `moved` is what an agent_id is among their
    terms: of a system that knows no roles, an agent in the role is an agent of its own. `weights`
    are what each environment counts for in a skill, {} where that is not asked, or cannot be."""

    ratings: Ratings
    moved: int = 0
    weights: Mapping[str, float] = field(default_factory=dict)

    def contrasts(self, agents: Sequence[int]) -> tuple[Floats, Floats]:
        """Mean (n,) and covariance (n, n) of the agents' skills relative to their mean."""
        return self.ratings.contrasts([agent + self.moved for agent in agents])


def fit(scope: Scope, system: str, part: SeatGroup | None = None) -> Fit:
    """The games of a scope, rated.

    Raises UsageError for a system that is not registered."""
    games = rating_columns(scope.played, scope.rules)
    ratings = _rated(system, games)
    if part is None:
        found = weighed(ratings, games, scope.weights) if len(games.environments) else None
        return Fit(ratings) if found is None else Fit(found, weights=scope.weights)
    if any(term[0] == "agent:role" for term in ratings.terms):
        return Fit(replace(ratings, shares=part.shares))
    moved = int(scope.played.agents.max()) + 1
    agents = np.where(part.seats, scope.played.agents + moved, scope.played.agents)
    return Fit(_rated(system, replace(games, agents=agents)), moved)


def _rated(system: str, games: Games) -> Ratings:
    with guarded("ratings", system, "rating games"):
        ratings = rating(system).fit(games)
    if not isinstance(ratings, Ratings):
        raise PluginError(
            f"{described('ratings', system)} made {type(ratings).__name__} of the games; expected "
            "Ratings"
        )
    return ratings


@dataclass(frozen=True, slots=True)
class SeatGroup:
    """The seats of a role or a team: `seats` is one truth value per seat, `shares` how its seats
    are divided among roles."""

    name: str
    seats: NDArray[np.bool_]
    shares: Mapping[str, float]


def role_of(played: PlayedGames, name: str) -> SeatGroup | None:
    """The seats of a role; None when no game has it."""
    if name not in played.role_names:
        return None
    seats = played.roles == played.role_names.index(name)
    return SeatGroup(name, seats, {name: 1.0}) if seats.any() else None


def team_of(played: PlayedGames, name: str) -> SeatGroup | None:
    """The seats of a team, with the shares of its roles; None when no game has it."""
    if name not in played.team_names:
        return None
    seats = played.sides == played.team_names.index(name)
    if not seats.any():
        return None
    roles = played.roles[seats & (played.roles != NOTHING)]
    found, counts = np.unique(roles, return_counts=True)
    return SeatGroup(
        name,
        seats,
        {
            played.role_names[role]: float(count / counts.sum())
            for role, count in zip(found, counts, strict=True)
        },
    )


def part_missing(noun: str, name: str, scopes: Sequence[Scope]) -> UsageError:
    """What to say when no game has a role or a team of this name."""
    names: set[str] = set()
    for scope in scopes:
        played = scope.played
        known, column = (
            (played.role_names, played.roles)
            if noun == "role"
            else (played.team_names, played.sides)
        )
        names |= {known[at] for at in np.unique(column) if at != NOTHING}
    if not names:
        where = ", ".join(sorted({scope.environment or "these games" for scope in scopes}))
        return UsageError(
            f"{where}: no {noun}s are known, so no agent has a rating in the {noun} {name!r}; "
            f"leave out --{noun}"
        )
    return UsageError(unknown(noun, name, sorted(names)))
