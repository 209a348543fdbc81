"""How many further games, and dollars, until two agents or the top k are told apart.

What is known of a difference of skills is a normal distribution; every game adds precision. After
n more games its 95 % interval will have a width that is known now, around a middle that is not:
that is where the probabilities come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, inf, isfinite, pi, sqrt
from typing import TYPE_CHECKING, Literal, get_args

from arena.core import UsageError
from arena.core.ratings import BETA
from arena.stats.sequential import probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SeatingName = Literal["random", "mirrored", "opposite", "clones"]

# The shares of runs that are done with `low`, `games` and `high` further games.
_LOW, _MIDDLE, _HIGH = 0.1, 0.5, 0.9

# Of the pairs that a top k needs separated the closest decide.
_PAIRS, _DRAWS = 60, 1000


@dataclass(frozen=True, slots=True)
class Forecast:
    """With `games` further games the two are as likely separated as not; with `low` they are with
    a probability of 10 %, with `high` of 90 %. inf: no number of games is enough, because they say
    nothing. `dollars` and its bounds are None where the price of a game is not known.
    `separated`: they already are, and no game is needed."""

    games: float
    low: float
    high: float
    separated: bool
    dollars: float | None = None
    dollars_low: float | None = None
    dollars_high: float | None = None


def information(
    seating: SeatingName, teams: Sequence[int] = (1, 1), *, noise: float = BETA, lean: float = 0.5
) -> float:
    """What one game says of the difference of two agents' skills, as a precision per game
    (1 / mu²): the Fisher information of a win in Thurstone's model.

    `teams` are the seats of each team, `noise` a seat's standard deviation in units of mu, `lean`
    the probability that the first team wins among equals. A game whose strengths differ by
    k times the difference says k² times as much:

    - "clones", one agent in all seats of a team: k is half the number of seats, because the
      difference counts in every one, and what A and B have in common cancels in the swapped game;
    - "opposite", one seat each on opposite teams: k = 1;
    - "mirrored", two seats by place, never of one team: the same;
    - "random", each alone among others: k = 1, but the two results are of different games, and
      the difference of two halves varies four times as much.

    Of more than two teams each two are compared as if they were alone. Raises UsageError for teams
    that make no game, and for clones on more than two teams.
    """
    from scipy.special import ndtri

    if seating not in get_args(SeatingName):
        raise UsageError(
            f"the seating is {seating!r}: use one of {', '.join(get_args(SeatingName))}"
        )
    if len(teams) < 2 or min(teams) < 1:
        raise UsageError(f"teams of {list(teams)} seats: there must be two teams, each with a seat")
    if seating == "clones" and len(teams) != 2:
        raise UsageError(f"clones fill two teams, and there are {len(teams)}: use opposite")
    probability(lean, "lean")
    if not (noise > 0 and isfinite(noise)):
        raise UsageError(f"the noise of a seat is {noise!r}: it must be above 0")
    seats = sum(teams)
    facing = seats if len(teams) == 2 else 2 * seats / len(teams)
    one = exp(-(float(ndtri(lean)) ** 2)) / (2 * pi) / (lean * (1 - lean)) / (facing * noise**2)
    if seating == "clones":
        return one * (seats / 2) ** 2
    return one / 4 if seating == "random" else one


def games_to_separate(
    difference: float,
    variance: float,
    information_per_game: float,
    *,
    dollars_per_game: float | None = None,
    confidence: float = 0.95,
) -> Forecast:
    """The further games until the interval of a difference of skills leaves 0.

    `difference` and `variance` are those of its posterior now (before the first game: its prior,
    or a stated effect), in units of mu; `information_per_game` is the precision that a game adds
    (see `information`). After n games the variance is v_n = 1 / (1/v + n * information) and the
    mean is distributed as N(difference, v - v_n), so that the two are separated at that look with
    the probability P(|mean| >= z sqrt(v_n)). Raises UsageError for numbers that are none.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    _numbers(difference=difference, variance=variance, information=information_per_game)
    probability(confidence, "confidence")
    z = float(ndtri((1 + confidence) / 2))
    if difference != 0 and abs(difference) >= z * sqrt(variance):
        return _forecast((0.0, 0.0, 0.0), dollars_per_game, separated=True)
    if not variance * information_per_game > 0:
        return _forecast((inf, inf, inf), dollars_per_game)

    def separated(games: Floats) -> Floats:
        after = 1 / (1 / variance + games * information_per_game)
        spread, bound = np.sqrt(variance - after), z * np.sqrt(after)
        return np.asarray(
            ndtr((difference - bound) / spread) + ndtr((-difference - bound) / spread)
        )

    # In units of the games that halve the variance; finely enough to lose less than a percent.
    steps = np.geomspace(1e-4, 1e10, 4000) / (variance * information_per_game)
    reached = separated(steps)
    games = tuple(
        float(steps[np.argmax(reached >= share)]) if reached.max() >= share else inf
        for share in (_LOW, _MIDDLE, _HIGH)
    )
    return _forecast(games, dollars_per_game)


def games_to_separate_top(
    mean: Floats,
    covariance: Floats,
    top: int,
    information_per_game: float,
    *,
    dollars_per_game: float | None = None,
    confidence: float = 0.95,
    seed: int = 1,
) -> Forecast:
    """The further games until each of the best `top` agents is separated from each of the others.

    `mean` (n,) and `covariance` (n, n) are of their skills now; `information_per_game` is what a
    game of the schedule adds on average to the difference of one such pair: that of the seating
    times the share of games in which two given agents meet. By simulation of what the games may
    bring, from `seed`; of many pairs the 60 closest are looked at, since the others are separated
    long before. Raises UsageError for a `top` that leaves no agent, and for numbers
    that are not finite.
    """
    import numpy as np
    from scipy.special import ndtri

    mean = np.asarray(mean, dtype=np.float64)
    covariance = np.asarray(covariance, dtype=np.float64)
    _numbers(information=information_per_game)
    probability(confidence, "confidence")
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise UsageError("a rating is not a finite number: rate the games again")
    if not 1 <= top < len(mean):
        raise UsageError(
            f"the top {top} of {len(mean)} agents: separate at least 1, and leave at least 1 behind"
        )
    z = float(ndtri((1 + confidence) / 2))
    order = np.argsort(-mean, kind="stable")
    first, second = (side.ravel() for side in np.meshgrid(order[:top], order[top:]))
    difference = mean[first] - mean[second]
    spread = np.diag(covariance)
    variance = spread[first] + spread[second] - 2 * covariance[first, second]
    # Rounding may leave the variance of a difference that is known exactly just below 0.
    variance = np.maximum(variance, 0.0)
    if np.all((difference > 0) & (difference >= z * np.sqrt(variance))):
        return _forecast((0.0, 0.0, 0.0), dollars_per_game, separated=True)
    known = variance <= 0
    if information_per_game <= 0 or np.any(known & (difference == 0)):
        return _forecast((inf, inf, inf), dollars_per_game)
    closest = np.argsort((difference / np.sqrt(np.where(known, 1e-300, variance))), kind="stable")
    closest = closest[~known[closest]][:_PAIRS]
    first, second = first[closest], second[closest]
    difference, variance = difference[closest], variance[closest]
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    skills = mean + rng.standard_normal((_DRAWS, len(mean))) @ root.T
    luck = rng.standard_normal((_DRAWS, len(mean)))
    true = skills[:, first] - skills[:, second]
    chance = (luck[:, first] - luck[:, second]) / sqrt(2)
    steps = np.geomspace(1e-3, 1e9, 500) / (np.median(variance) * information_per_game)
    done = np.empty(len(steps))
    for at, games in enumerate(steps):
        added = games * information_per_game
        # The posterior's mean times its precision: prior, the truth, and the luck of the games.
        pull = difference / variance + added * true + sqrt(added) * chance
        done[at] = np.mean(np.all(np.abs(pull) >= z * np.sqrt(1 / variance + added), axis=1))
    games_needed = tuple(
        float(steps[np.argmax(done >= share)]) if done.max() >= share else inf
        for share in (_LOW, _MIDDLE, _HIGH)
    )
    return _forecast(games_needed, dollars_per_game)


def _forecast(
    games: tuple[float, ...], price: float | None, *, separated: bool = False
) -> Forecast:
    """Whole games, and what they cost."""
    if price is not None and not (price >= 0 and isfinite(price)):
        raise UsageError(f"a game costs {price!r} dollars: it must be a number from 0, or None")
    low, middle, high = (float(ceil(count)) if isfinite(count) else inf for count in games)
    if price is None:
        return Forecast(middle, low, high, separated)
    # Endless games that cost nothing still cost nothing.
    cost = [count * price if price else 0.0 for count in (middle, low, high)]
    return Forecast(middle, low, high, separated, *cost)


def _numbers(**given: float) -> None:
    """Raises UsageError for a number that is not finite, or below 0 where none may be."""
    for name, value in given.items():
        if not isfinite(value) or (name != "difference" and value < 0):
            raise UsageError(f"the {name} is {value!r}: it must be a finite number from 0")
