"""The Pareto front of cost and rating: what no other beats at its price or below."""

from __future__ import annotations

from collections.abc import Sequence


def cost_front(costs: Sequence[float], ratings: Sequence[float]) -> list[bool]:
    """Which of these are on the front, in their order: those rated above every other one that costs
    as much or less; of several that cost and are rated alike, the first."""
    found = [False] * len(costs)
    best = float("-inf")
    for at in sorted(range(len(costs)), key=lambda at: (costs[at], -ratings[at], at)):
        if ratings[at] > best:
            found[at], best = True, ratings[at]
    return found
