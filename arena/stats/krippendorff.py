"""Krippendorff's alpha: how far annotators agree beyond chance, whoever of them said nothing.

Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), sections C and D:
alpha = 1 - D_observed / D_expected, from the matrix of coincidences within units. 1 is perfect
agreement, 0 what chance gives, below 0 systematic disagreement.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from arena.core.arrays import Floats

RESAMPLES = 1_000
FEWEST = 5
"""Clusters below which no interval is given: resampling so few says nothing."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """`alpha`, and its 95 % interval from `low` to `high`; None where it is not defined: nobody
    judged the same, all values are equal, or for the interval too little was judged. `units` are
    those that at least two judged, `values` what was said of them."""

    alpha: float | None
    low: float | None
    high: float | None
    units: int
    values: int


def krippendorff(
    units: Sequence[Sequence[int]],
    *,
    ordinal: bool,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """The agreement in what was said of each unit: a value from each annotator who said one, in any
    order. `ordinal` values are apart by how many values lie between them, others only by being
    different.

    The interval resamples units whole (Zapf, Castell, Morawietz and Karch, BMC Medical Research
    Methodology 16:93, 2016), or the `clusters` that they belong to, such as the game of its turns:
    percentiles 2.5 and 97.5. The same units and seed give the same interval.
    """
    judged = [at for at, unit in enumerate(units) if len(unit) > 1]
    known = sorted({value for at in judged for value in units[at]})
    places = {value: place for place, value in enumerate(known)}
    groups = {
        group: place
        for place, group in enumerate(
            dict.fromkeys(at if clusters is None else clusters[at] for at in judged)
        )
    }
    coincidences = np.zeros((len(groups), len(known), len(known)))
    for at in judged:
        counts = np.zeros(len(known))
        for value in units[at]:
            counts[places[value]] += 1
        pairs = np.outer(counts, counts) - np.diag(counts)
        group = groups[at if clusters is None else clusters[at]]
        coincidences[group] += pairs / (len(units[at]) - 1)
    values = sum(len(units[at]) for at in judged)
    (alpha,) = _alphas(coincidences.sum(axis=0, keepdims=True), ordinal)
    if not np.isfinite(alpha):
        return Agreement(None, None, None, len(judged), values)
    low = high = None
    if len(groups) >= FEWEST:
        random = np.random.default_rng(seed)
        even = np.full(len(groups), 1 / len(groups))
        times = random.multinomial(len(groups), even, size=resamples).astype(np.float64)
        again = _alphas(np.tensordot(times, coincidences, axes=1), ordinal)
        low, high = (float(each) for each in np.nanpercentile(again, (2.5, 97.5)))
    return Agreement(float(alpha), low, high, len(judged), values)


def _alphas(coincidences: Floats, ordinal: bool) -> Floats:
    """(m,): alpha of each of m matrices of coincidences (m, k, k); NaN where all values of one are
    equal."""
    totals = coincidences.sum(axis=2)
    size = totals.sum(axis=1)
    apart = _ordinal(totals) if ordinal else 1.0 - np.eye(totals.shape[1])[None]
    observed = (coincidences * apart).sum(axis=(1, 2))
    expected = (totals[:, :, None] * totals[:, None, :] * apart).sum(axis=(1, 2))
    found = np.full(len(totals), np.nan)
    varied = expected > 0
    found[varied] = 1.0 - (size[varied] - 1.0) * observed[varied] / expected[varied]
    return found


def _ordinal(totals: Floats) -> Floats:
    """(m, k, k): the squared distance of two values, which is how often values from the one to the
    other occur, the two themselves by half."""
    middle = np.cumsum(totals, axis=1) - totals / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)
