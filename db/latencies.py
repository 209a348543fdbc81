"""Milliseconds in buckets of equal ratio, so that medians and quantiles of any number of games add
up.

Bucket i holds what is at least 2**(i/16 - 4) and less than 2**((i+1)/16 - 4) milliseconds: 16 to a
doubling, from 0.0625 ms to three days; what lies outside counts as the first or the last. A bucket
stands for the geometric mean of its bounds, so that no value inside is off by more than a factor of
2**(1/32), 2.2 percent (the rule of HDR histograms and DDSketch).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import starmap
from struct import Struct

RELATIVE_ERROR = 2 ** (1 / 32) - 1
"""The most that a quantile from buckets is off, as a part of it."""

_A_DOUBLING, _FIRST, _BUCKETS = 16, -4, 512
_BOUNDS = tuple(2.0 ** (i / _A_DOUBLING + _FIRST) for i in range(1, _BUCKETS))
_ENTRY = Struct("<HQ")

Buckets = dict[int, int]
"""How many values there are in each bucket that has any."""


def bucket(milliseconds: float) -> int:
    """The bucket of a value."""
    return bisect_right(_BOUNDS, milliseconds)


def count(buckets: Buckets, milliseconds: float) -> None:
    """Count a value."""
    at = bucket(milliseconds)
    buckets[at] = buckets.get(at, 0) + 1


def quantile(buckets: Mapping[int, int], q: float) -> float | None:
    """The q-quantile in milliseconds, 0 < q < 1, between the two values that it lies between as
    the median of an even number does; None without values."""
    total = sum(buckets.values())
    if not total:
        return None
    place = q * total
    low = int(place) if place == int(place) else int(place) + 1
    high = low + 1 if place == int(place) else low
    return (_value_at(buckets, low) + _value_at(buckets, high)) / 2


def _value_at(buckets: Mapping[int, int], rank: int) -> float:
    """The value of a rank, which counts from 1."""
    seen = 0
    at = 0
    for at in sorted(buckets):
        seen += buckets[at]
        if seen >= rank:
            break
    return float(2.0 ** ((at + 0.5) / _A_DOUBLING + _FIRST))


def add(into: Buckets, more: Mapping[int, int]) -> None:
    """Add the values of other buckets."""
    for at, count in more.items():
        into[at] = into.get(at, 0) + count


def packed(buckets: Mapping[int, int]) -> bytes:
    """Buckets as a blob: equal buckets give equal bytes."""
    return b"".join(starmap(_ENTRY.pack, sorted(buckets.items())))


def unpacked(blob: bytes) -> Buckets:
    """The inverse of `packed`."""
    return dict(_ENTRY.iter_unpack(blob))


def unpacked_sum(blobs: bytes) -> Buckets:
    """The sum of the buckets of blobs that stand behind each other, of many faster than adding
    them one by one."""
    import numpy as np

    entries = np.frombuffer(blobs, np.dtype([("at", "<u2"), ("count", "<u8")]))
    if not len(entries):
        return {}
    # In doubles, which hold whole numbers of calls exactly.
    sums = np.bincount(entries["at"], weights=entries["count"])
    (used,) = sums.nonzero()
    return {int(at): int(sums[at]) for at in used}
