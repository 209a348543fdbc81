"""Where the marks of a chart stand, in units of its own picture: the macros only draw them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis from `low` to `high`, drawn from `start` to `end`; `ticks` are round values."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()

    def at(self, value: float) -> float:
        """Where a value stands, at the edge where it lies beyond."""
        span = self.high - self.low
        share = (value - self.low) / span if span else 0.5
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 2)


def axis(
    values: Sequence[float], start: float, end: float, wanted: int = 5, *, whole: bool = False
) -> Axis:
    """An axis that holds all the values, with about as many ticks as are wanted at 1, 2 or 5 times
    a power of ten; of `whole` numbers, as games are, none in between."""
    known = [value for value in values if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    if low == high:
        low, high = low - 1, high + 1
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    if whole:
        step = max(step, 1.0)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    ticks = tuple(round(number * step, 10) for number in range(first, last + 1))
    pad = (high - low) * 0.03
    return Axis(low - pad, high + pad, start, end, ticks)


@dataclass(frozen=True, slots=True)
class LogAxis:
    """A logarithmic axis, like `Axis`, of values above 0."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...] = ()

    def at(self, value: float) -> float:
        """Where a value stands, at the edge where it lies beyond."""
        share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return round(self.start + min(share, 1.0) * (self.end - self.start), 2)


def log_axis(values: Sequence[float], start: float, end: float) -> LogAxis:
    """An axis that holds all the values, which are above 0, with ticks at 1, 2 and 5 times powers
    of ten, or at these powers where there are many."""
    low, high = min(values) / 1.25, max(values) * 1.25
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 4 else (1, 2, 5)
    ticks = (m * 10.0**power for power in range(first, last + 1) for m in steps)
    return LogAxis(low, high, start, end, tuple(tick for tick in ticks if low <= tick <= high))
