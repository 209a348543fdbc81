"""Whether skills add up to the results of a board's games, and a rating for where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.core import Ratings, UsageError
from arena.leaderboard.board import Equilibrium
from arena.leaderboard.query import OFFICIAL, LeaderboardQuery
from arena.leaderboard.scopes import Scope
from arena.ratings.additivity import additivity
from arena.ratings.newest import NewestProbit, drift
from arena.ratings.pairwise import MOST_AGENTS, advantages
from arena.ratings.probit import Probit
from arena.record.rating_columns import rating_columns
from arena.stats.equilibrium import deviation_ratings
from arena.stats.score import ScoreTest

LEVEL = 0.05
"""Below this probability a board says that skills do not add up."""

DRAWS, SEED = 200, 1


@dataclass(frozen=True, slots=True)
class LackOfFit:
    """Tests of a scope's games on the additive fit of the official system, whatever the board's is:
    that skills add up, and that they did not change; None where there is nothing to test."""

    additivity: ScoreTest | None
    drift: ScoreTest | None


def lack_of_fit(scope: Scope, system: str, fitted: Ratings) -> LackOfFit:
    """The tests; `fitted` is what the board's system made of the games."""
    games = rating_columns(scope.played, scope.rules)
    ratings = fitted if system == OFFICIAL else Probit().fit(games)
    return LackOfFit(additivity(games, ratings), drift(games, ratings))


def equilibria(scope: Scope, agents: Sequence[int]) -> dict[int, Equilibrium]:
    """The deviation ratings of a pool's agents. Raises UsageError for more than MOST_AGENTS."""
    if len(agents) > MOST_AGENTS:
        raise UsageError(
            f"--nash weighs every pair of agents, and is for at most {MOST_AGENTS} of them; found "
            f"{len(agents)}"
        )
    if not agents:
        return {}
    seated = np.maximum.reduceat(np.isin(scope.played.agents, agents), scope.played.starts)
    found = advantages(rating_columns(scope.played.only(seated), scope.rules))
    at = [found.agents.index(agent) for agent in agents]
    drawn = np.array(
        [deviation_ratings(matrix[np.ix_(at, at)]) for matrix in found.draws(DRAWS, SEED)]
    )
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975], axis=0).tolist()
    return {
        agent: Equilibrium(*values)
        for agent, *values in zip(agents, middle, low, high, strict=True)
    }


def fit_notes(found: LackOfFit, query: LeaderboardQuery) -> list[str]:
    """What people should know where skills do not add up, or changed."""
    return [*_additivity_notes(found.additivity, query), *_drift_notes(found.drift, query)]


def _drift_notes(found: ScoreTest | None, query: LeaderboardQuery) -> list[str]:
    newest = NewestProbit().name
    if found is None or found.p >= LEVEL or query.system == newest:
        return []
    return [
        f"skills changed while these games were played (p = {found.p:.2g}): a rating and its "
        f"interval are of the average over them; --system {newest} rates what agents were at the "
        "last of them, --since the later ones alone"
    ]


def _additivity_notes(found: ScoreTest | None, query: LeaderboardQuery) -> list[str]:
    if found is None or found.p >= LEVEL:
        return []
    more = (
        ""
        if query.nash
        else ": --nash adds a rating that does not need it, and that copies of an agent cannot move"
    )
    return [
        f"skills do not add up to these results (p = {found.p:.2g}, {found.effects:,} pairs): who "
        f"wins depends on who meets whom, and a rating depends on who else is in the pool{more}"
    ]
