"""Plackett-Luce by the `openskill` package: Weng and Lin's online approximation, MIT licence.

Weng and Lin, "A Bayesian Approximation Method for Online Ranking" (JMLR 12, 2011), algorithm 4,
as the package computes it, with three things decided here: skill is centred (a team's strength is
the sum of mu − 25, so that four seats are not worth 50 points more than two), agents are frozen
(tau = 0), and an agent in several seats is one skill. It knows nothing of roles or sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import pi, sqrt
from typing import Any

from arena.core import Games, Rating, Ratings
from arena.core.ratings import BETA, MU, SIGMA
from arena.ratings.fit.design import seats
from arena.ratings.online.fold import fitted
from arena.ratings.online.live import check, check_seats

LOGISTIC = pi / sqrt(3.0)
"""Standard deviation of the logistic distribution."""

_NOTE = (
    "openskill knows no sides and no roles and takes skills for independent: its intervals are not "
    "those of a fit."
)

_FARTHEST = 300.0
"""So many c behind the best team, a team has lost for certain; beyond twice as many the package's
exponentials are 0."""


@cache
def _model() -> Any:
    from openskill.models import PlackettLuce

    return PlackettLuce(mu=0.0, sigma=SIGMA, beta=BETA, tau=0.0)


class OpenSkill:
    """The rating system `openskill`: mu 25, sigma 25/3, beta 25/6, as TrueSkill has them."""

    name = "openskill"

    def initial(self) -> Rating:
        """The rating of an agent that has not played: 25 ± 25/3."""
        return Rating(MU, SIGMA)

    def rate(
        self,
        players: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        draw_probability: float = 0.5,
    ) -> dict[int, Rating]:
        """(mu, sigma) after the game of every agent in it, keyed by agent_id.

        `players` holds (agent_id, team, rank) of every seat; equal ranks of teams are a draw, for
        which the model needs no margin: `draw_probability` changes nothing. n seats of one team are
        one player with n times the agent's skill. An agent in several teams moves by the sum of
        what each says, and its sigma stays: there the model has no answer, and a game against
        oneself moves nothing. A game of one team says nothing.

        Raises ValueError for a team with two ranks, or a rating that is not a finite mu with a
        positive sigma; KeyError for an agent without a rating.
        """
        skills = {agent: (ratings[agent][0], ratings[agent][1]) for agent, _, _ in players}
        check(skills)
        check_seats(players)
        teams: dict[int, dict[int, int]] = {}
        ranks: dict[int, int] = {}
        for agent, team, rank in players:
            if ranks.setdefault(team, rank) != rank:
                raise ValueError(
                    f"team {team} has ranks {ranks[team]} and {rank}: expected one rank"
                )
            counts = teams.setdefault(team, {})
            counts[agent] = counts.get(agent, 0) + 1
        if len(teams) < 2:
            return {agent: Rating(*skill) for agent, skill in skills.items()}
        moves: dict[int, list[Rating]] = {}
        after = _play([*teams.values()], [*ranks.values()], skills)
        for seated, found in zip(teams.values(), after, strict=True):
            for agent, rating in zip(seated, found, strict=True):
                moves.setdefault(agent, []).append(rating)
        return {agent: _together(Rating(*skills[agent]), found) for agent, found in moves.items()}

    def fit(self, games: Games) -> Ratings:
        """The ratings after all games in their order, as independent effects. Two equal seats of
        one team each play with the odds e^(gap/c), c² = 2·BETA². Raises ValueError for columns that
        make no games."""
        fold = fitted(games, self)
        return replace(
            fold, noise=_noise(games), margin=0.0, link="logistic", notes=[*fold.notes, _NOTE]
        )


def _noise(games: Games) -> float:
    """The deviation of a seat's performance for which logistic odds are as the package has them: it
    gives BETA to a team, whatever its size."""
    played = seats(games)
    return BETA * LOGISTIC * sqrt(len(played.team_rank) / max(len(played.team), 1) or 1.0)


def _play(
    teams: Sequence[Mapping[int, int]],
    ranks: Sequence[int],
    skills: Mapping[int, tuple[float, float]],
) -> list[list[Rating]]:
    """Per team, the rating of each of its agents as this team's result alone would have it."""
    model = _model()
    totals = [
        sum(count * (skills[agent][0] - MU) for agent, count in team.items()) for team in teams
    ]
    spread = sum(
        BETA * BETA + sum((count * skills[agent][1]) ** 2 for agent, count in team.items())
        for team in teams
    )
    # Only differences between the teams count; the package takes exponentials of the sums.
    lowest = -_FARTHEST * sqrt(spread)
    best = max(totals)
    seated = []
    for team, total in zip(teams, totals, strict=True):
        shift = max(total - best, lowest) / len(team)
        seated.append(
            [model.rating(shift, count * skills[agent][1]) for agent, count in team.items()]
        )
    rated = model.rate(seated, ranks=[float(rank) for rank in ranks])
    return [
        [
            Rating(
                skills[agent][0] + (after.mu - before.mu) / count,
                skills[agent][1] * (after.sigma / before.sigma),
            )
            for (agent, count), before, after in zip(team.items(), old, new, strict=True)
        ]
        for team, old, new in zip(teams, seated, rated, strict=True)
    ]


def _together(before: Rating, found: Sequence[Rating]) -> Rating:
    if len(found) == 1:
        return found[0]
    return Rating(before.mu + sum(rating.mu - before.mu for rating in found), before.sigma)
