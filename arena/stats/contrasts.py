"""Many shares compared with those of the others, each inside its strata, tested all together.

The estimate is the Mantel-Haenszel difference of risks: the differences of the strata weighted by
n1 n2 / (n1 + n2) (Greenland and Robins 1985). Games are the independent units, as in a survey of
clusters: its variance is that of the sums over games of the linearised estimate, and never below
that of independent trials with a success and a failure added to each share (Agresti and Caffo
2000), so that what never happened is not taken for certain.

Each test is the e-value of a normal mixture (Robbins 1970) of variance _SPREAD against a difference
of 0, and all of them go through e-BH (`arena.stats.false_discoveries`): of what is found at most a
share `alpha` is false on average, however the tests depend on each other. The intervals are those
that e-BH inverts: one leaves out 0 exactly if its difference was found, and on average at most a
share `alpha` of those that are found miss the true difference (Xu, Wang and Ramdas 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

_SPREAD = 12.0
"""Variance of the mixture, in squared standard errors: best for differences of some four."""
FEWEST_GAMES = 20
FEWEST_TRIALS = 20
FEWEST_TRUE = 5
"""Below these nothing is asked: the normal distribution says nothing of so few."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A part's share against that of the others in its strata: `share - others` is the
    `difference`, `error` its standard error; `games` hold its `trials`, of which `true` came
    true."""

    part: int
    share: float
    others: float
    difference: float
    error: float
    trials: float
    true: float
    games: int

    @property
    def log_evalue(self) -> float:
        """The log of the e-value against no difference."""
        z2 = (self.difference / self.error) ** 2
        return (z2 * _SPREAD / (1 + _SPREAD) - log(1 + _SPREAD)) / 2

    def interval(self, width: float) -> tuple[float, float]:
        """The difference within `width` standard errors."""
        return self.difference - width * self.error, self.difference + width * self.error


def width(tests: int, found: int, alpha: float = 0.05) -> float:
    """How many standard errors an interval reaches to either side, where e-BH `found` some of
    `tests`."""
    bound = log(tests / (alpha * max(found, 1)))
    return sqrt((2 * bound + log(1 + _SPREAD)) * (1 + _SPREAD) / _SPREAD)


def contrasts(
    game: Places, stratum: Places, part: Places, true: Floats, trials: Floats
) -> tuple[list[Contrast], int]:
    """The contrast of every part, by rows (n,) of trials added up by game, stratum and part; and
    how many parts have too few trials to be asked. Of two parts that only have each other, the
    first is asked."""
    import numpy as np

    found, too_few = [], 0
    size = int(part.max(initial=-1)) + 1
    game = np.unique(game, return_inverse=True)[1]
    if min(true.sum(), (trials - true).sum()) < FEWEST_TRUE:
        return [], size
    here = [np.unique(stratum[part == one]) for one in range(size)]
    for one in range(size):
        mine = part == one
        kept = np.isin(stratum, here[one])
        others = kept & ~mine
        if not others.any():
            continue
        rest = np.unique(part[others])
        if len(rest) == 1 and rest[0] < one and np.array_equal(here[one], here[int(rest[0])]):
            continue
        made = _contrast(one, game, stratum, mine, others, true, trials)
        if made is None:
            too_few += 1
        else:
            found.append(made)
    return found, too_few


def _contrast(
    one: int,
    game: Places,
    stratum: Places,
    mine: NDArray[np.bool_],
    others: NDArray[np.bool_],
    true: Floats,
    trials: Floats,
) -> Contrast | None:
    import numpy as np

    size = int(stratum.max()) + 1

    def sums(rows: NDArray[np.bool_], values: Floats) -> Floats:
        return np.bincount(stratum[rows], values[rows], size).astype(np.float64)

    n1, n2 = sums(mine, trials), sums(others, trials)
    both = (n1 > 0) & (n2 > 0)
    mine, others = mine & both[stratum], others & both[stratum]
    x1, x2 = sums(mine, true), sums(others, true)
    n1, n2 = np.where(both, n1, 1.0), np.where(both, n2, 1.0)
    of_games = [np.bincount(game[rows]) > 0 for rows in (mine, others)]
    games = tuple(int(each.sum()) for each in of_games)
    seen = (float(trials[mine].sum()), float(trials[others].sum()))
    happened = float(true[mine].sum() + true[others].sum())
    if (
        min(games) < FEWEST_GAMES
        or min(seen) < FEWEST_TRIALS
        or min(happened, sum(seen) - happened) < FEWEST_TRUE
    ):
        return None
    weight = np.where(both, n1 * n2 / (n1 + n2), 0.0)
    weight /= weight.sum()
    first, second = x1 / n1, x2 / n2
    share, rest = float(weight @ first), float(weight @ second)
    # What each game adds to the linearised difference.
    pull = np.zeros(len(game))
    for rows, shares, count, sign in ((mine, first, n1, 1.0), (others, second, n2, -1.0)):
        at = stratum[rows]
        pull[rows] = sign * (weight / count)[at] * (true[rows] - shares[at] * trials[rows])
    taken = mine | others
    pulls = np.bincount(game[taken], pull[taken])
    number = int((np.bincount(game[taken]) > 0).sum())
    between = float(pulls @ pulls) * number / (number - 1)
    alone = sum(
        float((weight**2) @ (near * (1 - near) / (count + 2)))
        for near, count in (((x1 + 1) / (n1 + 2), n1), ((x2 + 1) / (n2 + 2), n2))
    )
    error = sqrt(max(between, alone))
    return Contrast(
        one, share, rest, share - rest, error, seen[0], float(true[mine].sum()), games[0]
    )
