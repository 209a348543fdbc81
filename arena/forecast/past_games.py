"""The games on record that a forecast starts from: rated, counted, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena import registry
from arena.core import Games, Ratings, UsageError
from arena.core.ratings import SIGMA
from arena.orchestrator.lookup import Rules, of_row, rules_of
from db import Repository, Session
from db.queries.played import NOTHING, PlayedGames, Which, played_games
from db.queries.usage import rated_usage

Floats = NDArray[np.float64]
SYSTEM = "probit"

# Costs are added up from the calls: beyond this many games the sum takes seconds.
COSTS_UP_TO_GAMES = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """Which games count: of an environment, or of a tournament; and under which seatings they
    could go on (None: all that the environment allows)."""

    environment: str | None = None
    players: int | None = None
    tournament: str | None = None
    seating: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The games that count, rated. `counts` are the games of each agent, `costs` the dollars of one
    of its seats on average, None where no call had a price."""

    rules: Rules
    ratings: Ratings
    games: int
    counts: Mapping[int, int]
    costs: Mapping[int, float | None]
    notes: tuple[str, ...] = ()

    def skills(self, agents: Sequence[int]) -> tuple[Floats, Floats]:
        """Mean (n,) and covariance (n, n); an agent without a game has the prior's."""
        mean, covariance = self.ratings.skills(agents)
        for at, agent in enumerate(agents):
            if ("agent", str(agent)) not in self.ratings.terms:
                covariance[at, at] += SIGMA**2
        return mean, covariance

    def price(self, seating: str, agents: Sequence[int]) -> float | None:
        """Dollars of a game of these agents: what their seats have cost on average, the other seats
        at the mean of all. None where any of it is unknown."""
        costs = [self.costs.get(agent) for agent in agents]
        own = [cost for cost in costs if cost is not None]
        everybody = [cost for cost in self.costs.values() if cost is not None]
        if len(own) < len(costs) or len(everybody) < len(self.costs):
            return None
        players = self.rules.players
        if seating in ("mirrored", "opposite"):
            rest = sum(everybody) / len(everybody)
            return 2 * sum(own) / len(own) + (players - 2) * rest
        used = everybody if seating == "random" else own
        return players * sum(used) / len(used)


def record_of(session: Session, repo: Repository, place: Place) -> Record:
    tournament = None
    if place.tournament is not None:
        row = repo.get_tournament_by_name(place.tournament)
        if row is None or row.id is None:
            names = sorted(known.name for known in repo.get_tournaments())
            raise UsageError(registry.unknown("tournament", place.tournament, names))
        if place.environment is not None and place.environment != row.environment.name:
            raise UsageError(
                f"the tournament {row.name!r} is of {row.environment.name}: leave out --environment"
            )
        rules, tournament = of_row(row.environment), row.id
    else:
        rules = rules_of(repo, place.environment, place.players)
    ids = (rules.key,) if rules.key is not None else ()
    which = Which(environment_ids=ids, tournament_id=tournament)
    played = played_games(session, which)
    cheap = len(played) <= COSTS_UP_TO_GAMES
    notes = () if cheap else (f"dollars are left out beyond {COSTS_UP_TO_GAMES:,} games on record",)
    return Record(
        rules=rules,
        ratings=registry.rating(SYSTEM).fit(columns(played)),
        games=len(played),
        counts=_counts(np.unique(np.stack([played.seats(), played.agents]), axis=1)[1]),
        costs=_costs(session, which, _counts(played.agents), known=cheap),
        notes=(*rules.notes(), *notes),
    )


def _counts(agents: NDArray[np.int64]) -> dict[int, int]:
    found, counts = np.unique(agents, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _costs(
    session: Session, which: Which, seats: Mapping[int, int], *, known: bool
) -> dict[int, float | None]:
    costs: dict[int, float | None] = dict.fromkeys(seats)
    for agent, row in (rated_usage(session, which) if known else {}).items():
        if row.cost is not None and agent in seats:
            costs[agent] = row.cost / seats[agent]
    return costs


def columns(played: PlayedGames) -> Games:
    """Games of one environment for a rating system; without roles the places of two players are
    roles, because who begins may have an advantage."""
    roles, names = played.roles.copy(), list(played.role_names)
    bare = roles == NOTHING
    if len(played) and bare.any():
        sizes = np.repeat(played.sizes, played.sizes)
        places = np.arange(len(sizes)) - np.repeat(played.starts, played.sizes)
        two = bare & (sizes == 2)
        roles[two] = len(names) + places[two]
        roles[bare & ~two] = len(names) + 2
        names += ["player 0", "player 1", ""]
    return Games(
        played.sizes, played.agents, played.teams, played.ranks, roles=roles, role_names=names
    )
