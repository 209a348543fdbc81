"""By how much games were won, as levels: their likelihood beside that of winning at all.

A win of a level says that the winner's lead was between two cuts. The chance of winning is that of
`ordered_probit`, untouched; the level of a win has the probability

    (Phi(high − r·t) − Phi(low − r·t)) / Phi(r·t − m),

with t the difference of the teams' sums over the noise's standard deviation, m the draw margin and
r what margins tell: 1 where a margin is the lead itself, 0 where it has nothing to do with skill.
Cuts are estimated and r is averaged over, weighted by evidence, so that neither the unit of margins
nor noise of their own moves a rating. The logarithm is concave in t: a normal variable varies less
between two cuts than beyond the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from arena.core.arrays import Floats, Integers
from arena.ratings.fit.ordered_probit import between, wins

TOLD = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What margins may tell, all of it equally likely beforehand."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Of one environment: `cuts` (levels − 1,) above the draw margin, in units of the noise of a
    game's difference, and what margins `tell`, of TOLD."""

    cuts: Floats
    tell: float

    def loglikelihood(
        self, t: Floats, level: Integers, margin: float, scale: Floats | float = 1.0
    ) -> tuple[Floats, Floats, Floats]:
        """Of the levels of wins, from 1: log-likelihood given that the game was won, its derivative
        by t, and minus the second. Margin and cuts count `scale` times."""
        ends = np.concatenate([[margin], margin + self.cuts, [np.inf]])
        at = self.tell * t
        value, slope, bend = between(at, ends[level - 1] * scale, ends[level] * scale)
        of_win, slope_of_win, bend_of_win = wins(at, np.full(len(t), margin) * scale)
        return (
            value - of_win,
            self.tell * (slope - slope_of_win),
            self.tell**2 * np.maximum(bend - bend_of_win, 0.0),
        )

    def best(self, t: Floats, level: Integers, weight: Floats, margin: float) -> Levels:
        """Those with the likeliest cuts, given the differences, from these on."""
        from scipy.optimize import minimize  # takes half a second to load

        def made(free: Floats) -> Levels:
            return replace(self, cuts=np.cumsum(np.exp(free)))

        def cost(free: Floats) -> float:
            value, _, _ = made(free).loglikelihood(t, level, margin)
            return -float(weight @ value)

        start = np.log(np.diff(self.cuts, prepend=0.0))
        bounds = [(-7.0, 2.0)] * len(self.cuts)
        return made(minimize(cost, start, method="L-BFGS-B", bounds=bounds).x)


def first_levels(won: Floats, tell: float) -> Levels:
    """The cuts where equals would have wins of these weights (levels,), the least first."""
    above = np.cumsum(won[::-1])[::-1][1:] + 0.5
    cuts = ndtri(1.0 - 0.5 * above / (float(won.sum()) + 1.0))
    return Levels(np.cumsum(np.maximum(np.diff(cuts, prepend=0.0), 1e-3)), tell)
