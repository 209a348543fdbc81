"""TrueSkill in closed form: the live rating, one finished game at a time.

Herbrich, Minka and Graepel, "TrueSkill: A Bayesian Skill Rating System" (NIPS 2006), for frozen
agents (tau = 0) and with skill centred: a team's strength is the sum of mu − 25 over its seats, so
that four seats are not worth 50 points more than two. An agent in several seats is one skill with a
coefficient, not several strangers. A finite rating never makes it raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum, sqrt

from arena.core import Games, Rating, Ratings
from arena.core.ratings import BETA, MU, SIGMA
from arena.ratings.gaussian.expectation_propagation import Link, TeamSide, independent, shared
from arena.ratings.gaussian.truncated import draw, win
from arena.ratings.online.codegen import Play, unroll
from arena.ratings.online.draw_margin import quantile
from arena.ratings.online.fold import fitted
from arena.ratings.online.live import check, check_seats

__all__ = ["BETA", "MU", "NOISE", "SIGMA", "TrueSkill", "draw_margin"]

NOISE = BETA * BETA
"""Variance of one seat's performance around its skill."""

Skill = tuple[float, float]
"""(mu, sigma), as stored."""


@dataclass(frozen=True, slots=True)
class _Team:
    rank: int
    seats: dict[int, int]


class TrueSkill:
    """The rating system `trueskill`. Nothing to set: its constants are the usual ones, mu 25,
    sigma 25/3, beta 25/6, and tau 0."""

    name = "trueskill"

    def initial(self) -> Rating:
        """The rating of an agent that has not played: 25 ± 25/3."""
        return Rating(MU, SIGMA)

    def rate(
        self,
        players: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        draw_probability: float,
    ) -> dict[int, Rating]:
        """(mu, sigma) after the game of every agent in it, keyed by agent_id.

        `players` holds (agent_id, team, rank) of every seat: seats of one team share a rank, lower
        is better, equal ranks of two teams are a draw. Two teams of any sizes are the closed form,
        more are a chain (`arena.ratings.gaussian.expectation_propagation`), in which teams that
        share a place stand in order of strength; a game of one team says nothing.

        Raises ValueError for a draw probability outside (0, 1), a team with two ranks, or a rating
        that is not a finite mu with a positive sigma; KeyError for an agent without a rating.
        """
        if not 0.0 < draw_probability < 1.0:
            raise ValueError(f"draw probability {draw_probability}: expected between 0 and 1")
        skills = {agent: ratings[agent] for agent, _, _ in players}
        check(skills)
        check_seats(players)
        teams = _teams(players)
        if len(teams) == 2:
            skills = _two_teams(teams, skills, draw_probability)
        elif len(teams) > 2:
            skills = _several_teams(teams, skills, draw_probability)
        return {agent: Rating(*skill) for agent, skill in skills.items()}

    def fit(self, games: Games) -> Ratings:
        """The fold of these games from nothing: every agent on its own, the covariance diagonal.

        Raises ValueError for columns that make no games.
        """
        return fitted(games, self)

    def unrolled(self, first: int, second: int, *, keep: bool) -> Play:
        """The two-team update as a generated loop, for a fold."""
        return unroll(first, second, keep=keep)


def draw_margin(draw_probability: float, seats: int) -> float:
    """The gap in performance below which two equal teams with `seats` seats together draw."""
    return quantile(draw_probability) * (sqrt(seats) * BETA)


def _teams(players: Sequence[tuple[int, int, int]]) -> list[_Team]:
    """The teams in order of their first seats, each with its agents in the same order."""
    teams: dict[int, _Team] = {}
    for agent, number, rank in players:
        team = teams.setdefault(number, _Team(rank, {}))
        if team.rank != rank:
            raise ValueError(f"team {number} has ranks {team.rank} and {rank}: expected one rank")
        team.seats[agent] = team.seats.get(agent, 0) + 1
    return list(teams.values())


def _two_teams(
    teams: Sequence[_Team], skills: Mapping[int, Skill], draw_probability: float
) -> dict[int, Skill]:
    """The closed form. The smaller team comes first, so that games of one environment sum in one
    order; `arena.ratings.online.codegen` does the same operations in that order."""
    first, second = sorted(teams, key=lambda team: sum(team.seats.values()))
    sign = (first.rank < second.rank) - (first.rank > second.rank)
    weights = dict(first.seats)
    for agent, count in second.seats.items():
        weights[agent] = weights.get(agent, 0) - count
    ahead, behind = sum(first.seats.values()), sum(second.seats.values())
    gap = square = 0.0
    for agent, a in weights.items():
        mu, sigma = skills[agent]
        gap += a * mu
        square += (a * a) * (sigma * sigma)
    gap -= MU * (ahead - behind)
    variance = square + (ahead + behind) * NOISE
    deviation = sqrt(variance)
    margin = draw_margin(draw_probability, ahead + behind)
    if sign:
        v, w, _ = win((sign * gap - margin) / deviation)
        gain = sign * v / deviation
    else:
        v, w, _ = draw(gap / deviation, margin / deviation)
        gain = v / deviation
    shrink = w / variance
    rated = {}
    for agent, a in weights.items():
        mu, sigma = skills[agent]
        variance = sigma * sigma
        rated[agent] = (
            mu + a * variance * gain,
            sigma * sqrt(1.0 - (a * a) * variance * shrink),
        )
    return rated


def _several_teams(
    teams: Sequence[_Team], skills: Mapping[int, Skill], draw_probability: float
) -> dict[int, Skill]:
    placed = sorted(((team, _side(team, skills)) for team in teams), key=_place)
    teams, sides = [team for team, _ in placed], [side for _, side in placed]
    links = [
        Link(
            draw_margin(draw_probability, sum(upper.seats.values()) + sum(lower.seats.values())),
            drawn=upper.rank == lower.rank,
        )
        for upper, lower in pairwise(teams)
    ]
    if sum(len(team.seats) for team in teams) > len(skills):
        variances = {agent: (mu, sigma * sigma) for agent, (mu, sigma) in skills.items()}
        joint = shared(sides, links, variances, NOISE)
        return {agent: (mu, sqrt(variance)) for agent, (mu, variance) in joint.items()}
    rated = {}
    moves = _alike_together([_place(one) for one in placed], independent(sides, links))
    for team, (gain, shrink) in zip(teams, moves, strict=True):
        for agent, a in team.seats.items():
            mu, sigma = skills[agent]
            variance = sigma * sigma
            rated[agent] = (
                mu + a * variance * gain,
                sigma * sqrt(1.0 - (a * a) * variance * shrink),
            )
    return rated


def _side(team: _Team, skills: Mapping[int, Skill]) -> TeamSide:
    # Summed exactly, so that the order of the seats is in no bit of it.
    mean = fsum(a * (skills[agent][0] - MU) for agent, a in team.seats.items())
    variance = fsum(
        (a * a) * (skills[agent][1] * skills[agent][1]) + a * NOISE
        for agent, a in team.seats.items()
    )
    return TeamSide(team.seats, mean, variance)


def _place(placed: tuple[_Team, TeamSide]) -> tuple[int, float, float]:
    """Where a team stands in the chain: those that share a rank, the strongest first, whatever
    order their seats are in."""
    team, side = placed
    return team.rank, -side.mean, side.variance


def _alike_together(
    places: Sequence[tuple[int, float, float]], moves: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """The moves of teams that nothing tells apart are their mean: which of them stands where in
    the chain is chance."""
    alike: dict[tuple[int, float, float], list[tuple[float, float]]] = {}
    for place, move in zip(places, moves, strict=True):
        alike.setdefault(place, []).append(move)
    mean = {
        place: (fsum(gain for gain, _ in same) / len(same), fsum(s for _, s in same) / len(same))
        for place, same in alike.items()
    }
    return [mean[place] for place in places]
