"""The games on record that a forecast starts from: rated, counted, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from arena import registry
from arena.core import Ratings
from arena.orchestrator.lookup import Rules, rules_of_games
from arena.record.rating_columns import rating_columns, repeats_left_out
from db import Repository, Session
from db.queries.played import no_games, played_games
from db.queries.usage import finished_usage
from db.selection import Selection

SYSTEM = "probit"


@dataclass(frozen=True, slots=True)
class PlanScope:
    """Which games count: those of a `selection`, in one environment; and under which `seating` they
    could go on (None: all that the environment allows)."""

    environment: str | None = None
    players: int | None = None
    selection: Selection = field(default_factory=Selection)
    seating: str | None = None


@dataclass(frozen=True, slots=True)
class PastGames:
    """The games that count, rated. `counts` are the games of each agent, `costs` the dollars of one
    of its seats on average, None where no call had a price."""

    rules: Rules
    ratings: Ratings
    games: int
    counts: Mapping[int, int]
    costs: Mapping[int, float | None]
    notes: tuple[str, ...] = ()

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


def past_games(
    session: Session, repo: Repository, scope: PlanScope, agents: Sequence[int | None] = ()
) -> PastGames:
    """The games that count, rated; where the scope names no environment, of the one that these
    agents have played. Raises UsageError where they are not of one environment, BadSelection for
    what is not on record."""
    rules = rules_of_games(repo, scope.selection, scope.environment, scope.players, agents)
    selection = replace(scope.selection, environment=rules.key)
    played = no_games() if rules.key is None else played_games(session, selection)
    usage = finished_usage(session, selection) if len(played) else {}
    seats = _counts(played.agents)
    costs: dict[int, float | None] = dict.fromkeys(seats)
    for agent, row in usage.items():
        if row.cost is not None and agent in seats:
            costs[agent] = row.cost / seats[agent]
    return PastGames(
        rules=rules,
        ratings=registry.rating(SYSTEM).fit(rating_columns(played)),
        games=len(played),
        counts=_counts(np.unique(np.stack([played.seats(), played.agents]), axis=1)[1]),
        costs=costs,
        notes=(*rules.notes(), *repeats_left_out(int(played.repeats.sum()))),
    )


def _counts(agents: NDArray[np.int64]) -> dict[int, int]:
    found, counts = np.unique(agents, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))
