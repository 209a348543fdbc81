"""How a game between two teams would end, given what is known of their effects."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from arena.core import Ratings

Team = Sequence[tuple[int, str | None]]

LOGISTIC = sqrt(3.0) / pi
"""The scale of a logistic distribution whose standard deviation is 1."""


def predict(ratings: Ratings, teams: Sequence[Team]) -> tuple[float, float, float]:
    """P(first team wins), P(draw), P(second team wins).

    `teams` are two teams of (agent_id, role). A team's strength is the sum over its seats of
    ("agent", id), ("agent:role", id, role) and ("side", role); without a role, of their averages
    over the roles as they come up. Effects that are not among the terms are 0. What is not known
    is integrated over: exactly for the normal link; for the logistic one with MacKay's probit
    approximation, the logistic noise of a game having the standard deviation
    noise * sqrt(seats). Raises ValueError unless there are two teams with a seat each.
    """
    if len(teams) != 2 or not all(teams):
        raise ValueError(
            f"found {len(teams)} teams of {[len(team) for team in teams]} seats: expected two, "
            "each with a seat at least"
        )
    weights = coefficients(ratings, teams)
    gap = float(weights @ ratings.mean)
    variance = max(0.0, float(weights @ ratings.covariance @ weights))
    seats = sum(len(team) for team in teams)
    noise = ratings.noise * sqrt(seats)
    width = ratings.margin * sqrt(seats / 2.0)
    first = _above(gap - width, variance, noise, ratings.link)
    second = _above(-gap - width, variance, noise, ratings.link)
    return first, max(0.0, 1.0 - first - second), second


def coefficients(ratings: Ratings, teams: Sequence[Team]) -> NDArray[np.float64]:
    """(k,): how much of each effect is in the first team's sum minus the second's."""
    weights = np.zeros(len(ratings.mean))
    for sign, team in zip((1.0, -1.0), teams, strict=True):
        for agent, role in team:
            shares = ratings.shares if role is None else {role: 1.0}
            if (at := ratings.terms.get(("agent", str(agent)))) is not None:
                weights[at] += sign
            for name, share in (shares or {"": 1.0}).items():
                for term in (("agent:role", str(agent), name), ("side", name)):
                    if (at := ratings.terms.get(term)) is not None:
                        weights[at] += sign * share
    return weights


def _above(gap: float, variance: float, noise: float, link: str) -> float:
    """P(gap + what is not known + noise > 0)."""
    if link == "normal":
        return float(ndtr(gap / sqrt(variance + noise * noise)))
    scale = noise * LOGISTIC
    t = gap / sqrt(scale * scale + pi * variance / 8.0)
    return 1.0 / (1.0 + exp(-t)) if t > -700.0 else 0.0
