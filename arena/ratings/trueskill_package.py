"""The `trueskill` package, with an exact backend: what the closed form is compared with.

Its default settings (tau, no centring, every seat a stranger) are what other projects publish, so
they stay available as the number to compare with; `arena.ratings.trueskill` is the one to rank by.
TrueSkill is a trademark of Microsoft; the package's own licence is BSD.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from math import erfc, exp, pi, sqrt
from statistics import NormalDist
from typing import Any

from arena.core import Games, Rating, Ratings
from arena.ratings.online.fold import fitted


def load() -> Any:
    """The module `trueskill`: importing it warns, which is an error where warnings are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import trueskill
    return trueskill


def exact(*, draw_probability: float, **settings: float) -> Any:
    """A `trueskill.TrueSkill` that computes with math.erfc instead of an approximation that is
    wrong in the seventh digit. `settings` are its own: mu, sigma, beta, tau."""
    backend = (_cdf, _pdf, NormalDist().inv_cdf)
    return load().TrueSkill(draw_probability=draw_probability, backend=backend, **settings)


def _cdf(x: float) -> float:
    return 0.5 * erfc(-x / sqrt(2.0))


def _pdf(x: float) -> float:
    return exp(-0.5 * x * x) / sqrt(2.0 * pi)


class TrueSkillPackage:
    """The rating system `trueskill-package`: the package's default settings, for comparison."""

    name = "trueskill-package"

    def initial(self) -> Rating:
        """25 ± 25/3."""
        return Rating()

    def rate(
        self,
        players: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        draw_probability: float,
    ) -> dict[int, Rating]:
        """The ratings after the game. An agent in several seats is rated as several strangers and
        its last seat counts. A game too surprising for the package's arithmetic moves nothing."""
        package = exact(draw_probability=draw_probability)
        teams: dict[int, list[int]] = {}
        ranks: dict[int, int] = {}
        for agent, team, rank in players:
            teams.setdefault(team, []).append(agent)
            ranks[team] = rank
        before = {agent: Rating(*ratings[agent]) for agent, _, _ in players}
        if len(teams) < 2:
            return before
        groups = [
            tuple(package.create_rating(*before[agent]) for agent in team)
            for team in teams.values()
        ]
        try:
            rated = package.rate(groups, ranks=list(ranks.values()))
        except (FloatingPointError, ValueError):
            return before
        return {
            agent: Rating(float(new.mu), float(new.sigma))
            for team, group in zip(teams.values(), rated, strict=True)
            for agent, new in zip(team, group, strict=True)
        }

    def fit(self, games: Games) -> Ratings:
        """The fold of these games from nothing, with what `rate` says of each.

        Raises ValueError for columns that make no games.
        """
        return fitted(games, self)
