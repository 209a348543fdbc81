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
    over the roles as they come up. Effects that are not among the terms have their prior. What is
    not known is integrated over: exactly for the normal link; for the logistic one with MacKay's
    probit approximation, the logistic noise of a game having the standard deviation
    noise * sqrt(seats). Raises ValueError unless there are two teams with a seat each.
    """
    if len(teams) != 2 or not all(teams):
        raise ValueError(
            f"found {len(teams)} teams of {[len(team) for team in teams]} seats: expected two, "
            "each with a seat at least"
        )
    weights, unseen = coefficients(ratings, teams)
    gap = float(weights @ ratings.mean)
    variance = max(0.0, float(weights @ ratings.covariance @ weights)) + unseen
    seats = sum(len(team) for team in teams)
    noise = ratings.noise * sqrt(seats)
    width = ratings.margin * sqrt(seats / 2.0)
    first = _above(gap - width, variance, noise, ratings.link)
    second = _above(-gap - width, variance, noise, ratings.link)
    return first, max(0.0, 1.0 - first - second), second


def coefficients(ratings: Ratings, teams: Sequence[Team]) -> tuple[NDArray[np.float64], float]:
    """(k,): how much of each effect is in the first team's sum minus the second's; and the
    variance of the effects in it that are not among the terms."""
    effects: dict[tuple[str, ...], float] = {}
    for sign, team in zip((1.0, -1.0), teams, strict=True):
        for agent, role in team:
            key = str(agent)
            effects["agent", key] = effects.get(("agent", key), 0.0) + sign
            shares = ratings.shares if role is None else {role: 1.0}
            for name, share in (shares or {"": 1.0}).items():
                in_role: tuple[tuple[str, ...], ...] = (("agent:role", key, name), ("side", name))
                for term in in_role:
                    effects[term] = effects.get(term, 0.0) + sign * share
    weights, unseen = np.zeros(len(ratings.mean)), 0.0
    for term, share in effects.items():
        if (at := ratings.terms.get(term)) is not None:
            weights[at] = share
        else:
            unseen += share * share * ratings.prior.get(term[0], 0.0)
    return weights, unseen


def _above(gap: float, variance: float, noise: float, link: str) -> float:
    """P(gap + what is not known + noise > 0)."""
    if link == "normal":
        return float(ndtr(gap / sqrt(variance + noise * noise)))
    scale = noise * LOGISTIC
    t = gap / sqrt(scale * scale + pi * variance / 8.0)
    return 1.0 / (1.0 + exp(-t)) if t > -700.0 else 0.0
