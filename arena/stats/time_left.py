"""How long what is left takes, from how long what is done took."""

from __future__ import annotations

import math
from typing import NamedTuple


class TimeLeft(NamedTuple):
    """Seconds: a mean and a 90 % interval of prediction."""

    low: float
    mean: float
    high: float


def time_left(left: float, ended: int, seconds: float, begun: float = 0.0) -> TimeLeft | None:
    """Until `left` more games have ended, when `ended` did in `seconds`; None before the first.

    `begun` is how much of games was played beside, of which nothing has ended: half a game for
    each that is being played. Games end as events of a Poisson process do whose rate is not known:
    with Jeffreys' prior it has a Gamma distribution of shape `ended` + 1/2, and the time of `left`
    more events by it a beta prime one (Gelman and others, Bayesian Data Analysis, 3rd edition,
    section 2.6). The interval holds how little is known of the rate and the luck of the games,
    not that a run may become faster or slower.
    """
    if left <= 0:
        return TimeLeft(0.0, 0.0, 0.0)
    if ended < 1 or seconds <= 0 or not math.isfinite(left):
        return None
    from scipy.special import fdtri

    per_game = seconds / (ended + begun)
    spread = [float(fdtri(2 * left, 2 * ended + 1, part)) for part in (0.05, 0.95)]
    return TimeLeft(left * per_game * spread[0], left * per_game, left * per_game * spread[1])
