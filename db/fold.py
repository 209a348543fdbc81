"""Folds finished games into a rating pool, one after the other; pure, so that it can be run again.

Every step goes through the mu and sigma that are stored: folding the same games in the same order
gives the same bits, live or in a rebuild.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

INITIAL_MU = 25.0
INITIAL_SIGMA = 25.0 / 3.0

# One seat as a rating system sees it: (agent_id, team, rank).
Seat = tuple[int, int, int]
Skill = tuple[float, float]
Rate = Callable[[Sequence[Seat], Mapping[int, Skill], float], Mapping[int, Skill]]


@dataclass(slots=True)
class Standing:
    """An agent's rating in a pool and its games there. A game that it both won and lost, in
    several seats, is a draw."""

    mu: float = INITIAL_MU
    sigma: float = INITIAL_SIGMA
    games: int = 0
    wins: int = 0
    draws: int = 0
    losses: int = 0


@dataclass(slots=True)
class Pool:
    """What a fold starts from and ends with: `draws` of `games` had no single best team."""

    games: int = 0
    draws: int = 0
    standings: dict[int, Standing] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What one game did to one agent."""

    agent_id: int
    mu_before: float
    sigma_before: float
    mu_after: float
    sigma_after: float


def draw_probability(games: int, draws: int) -> float:
    """How likely the next game of a pool is a draw: (draws + ½) / (games + 10), never 0 or 1."""
    return (draws + 0.5) / (games + 10)


def numbered(teams: Sequence[str | None]) -> list[int]:
    """Team numbers in order of first seat; a player without a team is a team of its own."""
    numbers: dict[str, int] = {}
    result = []
    count = 0
    for team in teams:
        if team is None:
            result.append(count)
            count += 1
            continue
        if team not in numbers:
            numbers[team] = count
            count += 1
        result.append(numbers[team])
    return result


def fold_game(pool: Pool, seats: Sequence[Seat], rate: Rate) -> list[Change]:
    """Move the pool by one game: the changes in order of first seat.

    Raises ValueError when `rate` gives an impossible rating.
    """
    agents = list(dict.fromkeys(agent for agent, _, _ in seats))
    standings = [pool.standings.setdefault(agent, Standing()) for agent in agents]
    before = {
        agent: (standing.mu, standing.sigma)
        for agent, standing in zip(agents, standings, strict=True)
    }
    after = rate(seats, before, draw_probability(pool.games, pool.draws))

    best = min(rank for _, _, rank in seats)
    drawn = len({team for _, team, rank in seats if rank == best}) > 1
    won = set() if drawn else {agent for agent, _, rank in seats if rank == best}
    lost = {agent for agent, _, rank in seats if rank != best}
    changes = []
    for agent, standing in zip(agents, standings, strict=True):
        mu, sigma = after[agent]
        if not (math.isfinite(mu) and math.isfinite(sigma) and sigma > 0):
            raise ValueError(f"agent {agent} was rated mu={mu}, sigma={sigma}")
        changes.append(Change(agent, standing.mu, standing.sigma, mu, sigma))
        standing.mu, standing.sigma = mu, sigma
        standing.games += 1
        if agent in won and agent not in lost:
            standing.wins += 1
        elif agent in lost and agent not in won:
            standing.losses += 1
        else:
            standing.draws += 1
    pool.games += 1
    pool.draws += drawn
    return changes
