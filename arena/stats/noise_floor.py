"""What copies that should not differ differ by: the measure for every other difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """`width` is by how much two copies of one thing differ at most, 95 % of the time; `sd` the
    standard deviation of a single copy around the mean of its like, with `freedom` degrees of
    freedom."""

    width: float
    sd: float
    freedom: int


def noise_floor(groups: Sequence[Sequence[float]]) -> NoiseFloor | None:
    """Of groups of values that should be equal; None where no group has two.

    The difference of two further copies is normal with the variance 2 sd², so that by the estimate
    of it they differ by sqrt(2) sd t at most, t the 97.5 % quantile of Student's distribution: what
    the values differ by for want of games is part of it, as it is of any two that are compared.
    """
    from scipy.special import stdtrit

    several = [group for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in several)
    if not freedom:
        return None
    squares = 0.0
    for group in several:
        mean = sum(group) / len(group)
        squares += sum((value - mean) ** 2 for value in group)
    sd = sqrt(squares / freedom)
    return NoiseFloor(sqrt(2) * sd * float(stdtrit(freedom, 0.975)), sd, freedom)
