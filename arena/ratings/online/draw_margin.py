"""Draw margins: how far apart two performances may be and still draw.

The normal quantile of Wichura, "Algorithm AS 241" (Applied Statistics 37, 1988), where draws are
not the rule; the same operations on a number and on a numpy column, so that a game rated alone and
a game rated in a rebuild get the same bits. Elsewhere `statistics` answers, by the same algorithm.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

_INVERSE_CDF = NormalDist().inv_cdf
_CENTRAL = 0.85
_NUMERATOR = (
    2.50908_09287_30122_6727e3,
    3.34305_75583_58812_8105e4,
    6.72657_70927_00870_0853e4,
    4.59219_53931_54987_1457e4,
    1.37316_93765_50946_1125e4,
    1.97159_09503_06551_4427e3,
    1.33141_66789_17843_7745e2,
    3.38713_28727_96366_6080e0,
)
_DENOMINATOR = (
    5.22649_52788_52854_5610e3,
    2.87290_85735_72194_2674e4,
    3.93078_95800_09271_0610e4,
    2.12137_94301_58659_5867e4,
    5.39419_60214_24751_1077e3,
    6.87187_00749_20579_0830e2,
    4.23133_30701_60091_1252e1,
    1.0,
)


def quantile(draw_probability: float) -> float:
    """The x with P(|z| < x) = draw_probability, for a standard normal z.

    A game of n seats is drawn within x·sqrt(n)·beta, as in the `trueskill` package.
    """
    if draw_probability <= _CENTRAL:
        return float(_central(0.5 * draw_probability))
    return _INVERSE_CDF(0.5 * (draw_probability + 1.0))


def quantiles(draw_probabilities: Any) -> list[float]:
    """`quantile` of every number in a numpy column."""
    found: list[float] = _central(0.5 * draw_probabilities).tolist()
    for k in (draw_probabilities > _CENTRAL).nonzero()[0].tolist():
        found[k] = quantile(float(draw_probabilities[k]))
    return found


def _central(q: Any) -> Any:
    """The quantile of ½ + q for 0 <= q <= 0.425, of a float or of each number in a column."""
    r = 0.180625 - q * q
    numerator, denominator = _NUMERATOR[0], _DENOMINATOR[0]
    for a, b in zip(_NUMERATOR[1:], _DENOMINATOR[1:], strict=True):
        numerator = numerator * r + a
        denominator = denominator * r + b
    return q * numerator / denominator
