"""The rating system `glicko`: Elo whose step gets smaller as more is known of an agent.

Glickman, "Parameter estimation in large dynamic paired comparison experiments" (1999), without the
passing of time, for teams: every pair of teams is one comparison, decided by their summed skills.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt, tanh

from arena.core import Games, Rating, Ratings
from arena.core.ratings import BETA, MU
from arena.ratings.online.fold import fitted


class Glicko:
    """Stored live in a tournament that says `rating: glicko`; `arena leaderboard --system glicko`
    rates any set of games by it."""

    name = "glicko"

    def initial(self) -> Rating:
        return Rating()

    def rate(
        self,
        players: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        draw_probability: float,
    ) -> dict[int, Rating]:
        """One step of Newton's method for every agent, from (agent_id, team, rank) of each seat."""
        teams: dict[int, Counter[int]] = {}
        ranks: dict[int, int] = {}
        for agent, team, rank in players:
            teams.setdefault(team, Counter())[agent] += 1
            ranks[team] = rank
        slope = {agent: 0.0 for agent, _, _ in players}
        weight = dict(slope)
        for one, other in combinations(teams, 2):
            # An agent on both sides counts for what it has more of on one.
            seats = {
                agent: teams[one][agent] - teams[other][agent]
                for agent in teams[one] | teams[other]
            }
            spread = BETA * sqrt(sum(teams[one].values()) + sum(teams[other].values()))
            gap = sum(n * (ratings[agent][0] - MU) for agent, n in seats.items())
            expected = (1.0 + tanh(gap / spread / 2.0)) / 2.0
            score = ((ranks[one] < ranks[other]) - (ranks[one] > ranks[other]) + 1.0) / 2.0
            for agent, n in seats.items():
                slope[agent] += n * (score - expected) / spread
                weight[agent] += n * n * expected * (1.0 - expected) / (spread * spread)
        after = {}
        for agent in slope:
            mu, sigma = ratings[agent]
            variance = 1.0 / (1.0 / (sigma * sigma) + weight[agent])
            after[agent] = Rating(mu + variance * slope[agent], sqrt(variance))
        return after

    def fit(self, games: Games) -> Ratings:
        return fitted(games, self)
