"""The questions that `informative` may be asked, as weights of the pairs of agents.

A game is worth the variance that it takes from the differences of pairs. What a pair counts for is
how much sooner it is told apart for a little less variance: with a difference of z standard
deviations it is in the wrong order with probability Φ(−z), and of that the derivative by the
variance v is z·φ(z)/2v. A pair that is told apart counts little, and so does one that no number of
games would tell apart.

Part of all weight is spread evenly over the pairs (FLOOR), so that a pair that early luck has put
far apart is looked at again. That no two halves of the pool are left without games between them is
seen to apart from that; see `arena.matchmakers.connectivity`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from arena.core import UsageError
from arena.core.arrays import Floats
from arena.matchmakers.gain import variances
from arena.matchmakers.options import Option

FLOOR = 0.1
"""The part of the weight that all pairs share alike."""

Weigh = Callable[[Floats, Floats], Floats]
"""The weights (n, n) of pairs, symmetric with 0 on the diagonal, from the mean (n,) and the
covariance (n, n) of the agents' skills."""

GOAL = Option(
    "order",
    "`order`, or `top 3` for the best three",
    lambda value: value == "order" or (isinstance(value, str) and _best(value) is not None),
)


def weigh(goal: str, agents: Sequence[int]) -> Weigh:
    """The weights for a goal. Raises UsageError for a top that is all of the agents."""
    best = _best(goal)
    if best is None:
        return order
    if best >= len(agents):
        raise UsageError(
            f"matchmaker informative: `goal` is {goal!r} of {len(agents)} agents, expected fewer "
            "than all of them, or `order`"
        )
    return lambda mean, covariance: top(mean, covariance, best)


def order(mean: Floats, covariance: Floats) -> Floats:
    """Who is better than whom: all pairs."""
    return _floored(_resolving(mean, covariance))


def top(mean: Floats, covariance: Floats, best: int) -> Floats:
    """Which are the best: the pairs of one who is among them as it stands, and one who is not."""
    among = np.zeros(len(mean), bool)
    among[np.argsort(-mean, kind="stable")[:best]] = True
    return _floored(_resolving(mean, covariance) * (among[:, None] != among))


def _resolving(mean: Floats, covariance: Floats) -> Floats:
    variance = np.maximum(variances(covariance), 1e-12)
    z = np.abs(mean[:, None] - mean) / np.sqrt(variance)
    found: Floats = z * np.exp(-0.5 * z * z) / variance
    np.fill_diagonal(found, 0.0)
    return found


def _floored(weights: Floats) -> Floats:
    """Scaled to a mean of 1 over the pairs, the floor included."""
    n = len(weights)
    even = 1.0 - np.eye(n)
    total = float(weights.sum())
    if not total > 0.0:
        return even
    found: Floats = FLOOR * even + weights * ((1.0 - FLOOR) * n * (n - 1) / total)
    return found


def _best(goal: str) -> int | None:
    """The k of "top k"; None for other words."""
    word, _, number = goal.partition(" ")
    return int(number) if word == "top" and number.isdecimal() and int(number) >= 1 else None
