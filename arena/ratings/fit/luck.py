"""What of a game's noise is not each game's own: the luck that a seed deals, and what a covariate
tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from arena.core.arrays import Floats, Integers

MOST_STEPS_OF_LUCK = 50


class LuckyRows(Protocol):
    """The columns of `Pairs` that are looked at here."""

    @property
    def weight(self) -> Floats: ...

    @property
    def block(self) -> Integers: ...

    @property
    def side(self) -> Integers: ...

    @property
    def known(self) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Lucky:
    """Pairs at the likeliest luck of their blocks. Per row: `value`, `slope` and `bend`, the
    log-likelihood with its first and minus its second derivative by the standardised difference,
    and `pull`, how much of its block's luck is in that. Per block: `curvature`, minus the second
    derivative by its luck. `spent` is what the luck itself costs."""

    value: Floats
    slope: Floats
    bend: Floats
    pull: Floats
    curvature: Floats
    spent: float


RowLikelihood = Callable[[Floats, Floats], tuple[Floats, Floats, Floats]]
"""What the rows say at standardised differences (n,), in which margins and levels count `scale`
(n,) times: log-likelihood, its derivative, and minus the second."""


def lucky(
    pairs: LuckyRows, t: Floats, said: RowLikelihood, luck: float, explained: float = 0.0
) -> Lucky:
    """Pairs whose differences are `t` over the noise (n,), where `luck` is the share of the noise's
    variance that a block's seed deals. The luck of each block is found by Newton's method: it is
    a single standard normal number, and the posterior is log-concave. What a covariate tells of the
    noise, by its correlation `explained`, is no noise any more: the rest is smaller, and the scale
    of `t` stays what it was."""
    if not luck and not explained:
        value, slope, bend = said(t, np.ones(len(t)))
        return Lucky(value, slope, bend, np.zeros(len(t)), np.zeros(0), 0.0)
    inside = pairs.block >= 0 if luck else np.zeros(len(t), np.bool_)
    block = np.where(inside, pairs.block, 0)
    count = int(pairs.block.max(initial=-1)) + 1 if luck else 0
    spoken = np.where(inside, luck, 0.0)
    if explained:
        told = np.isfinite(pairs.known)
        spoken = spoken + np.where(told, explained**2, 0.0)
        t = t + explained * np.where(told, pairs.known, 0.0)
    scale: Floats = np.where(spoken > 0.0, 1.0 / np.sqrt(1.0 - spoken), 1.0)
    pull = np.where(inside, pairs.side * np.sqrt(luck), 0.0) * scale
    start = t * scale
    if not luck:
        value, slope, bend = said(start, scale)
        return Lucky(value, slope * scale, bend * scale**2, pull, np.zeros(0), 0.0)
    effect, curvature = np.zeros(count), np.ones(count)
    for _ in range(MOST_STEPS_OF_LUCK):
        value, slope, bend = said(start + pull * effect[block], scale)
        uphill = np.bincount(block, pairs.weight * slope * pull, minlength=count) - effect
        curvature = np.ones(count)
        curvature += np.bincount(block, pairs.weight * bend * pull**2, minlength=count)
        step = uphill / curvature
        if np.abs(step).max(initial=0.0) < 1e-8:
            break
        effect = effect + np.clip(step, -1.0, 1.0)
    spent = 0.5 * float(effect @ effect)
    return Lucky(value, slope * scale, bend * scale**2, pull / scale, curvature, spent)
