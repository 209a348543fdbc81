"""Six thousand calls against hidden limits and an outage, in virtual time (`torture.limits`)."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from torture import limits
from torture.harness import Harness
from torture.rows import Row

PART = "limits"
SEEDS = (1, 2, 3)
# Of the least time that any client needs.
LONGEST = 1.10


def run(harness: Harness, *, toy: bool = False) -> list[Row]:
    seeds = SEEDS[:1] if toy else tuple(harness.seed + seed for seed in SEEDS)
    runs = limits.run(seeds)
    by_strategy: dict[str, list[limits.Run]] = defaultdict(list)
    for one in runs:
        by_strategy[one.strategy].append(one)
    rows = []
    for strategy, theirs in by_strategy.items():
        ours = strategy == "arena"
        worst = max(theirs, key=lambda one: one.ratio)
        rows += [
            Row(
                PART,
                f"{strategy}: calls given up",
                sum(one.given_up for one in theirs),
                promised=0 if ours else None,
                note=f"of {sum(one.calls for one in theirs):,} in {len(theirs)} simulations",
            ),
            Row(
                PART,
                f"{strategy}: time over the lower bound, at worst",
                worst.ratio,
                promised=LONGEST if ours else None,
                bound="at most",
                unit="x",
                note=f"median {median(one.ratio for one in theirs):.3f}; worst: {worst.shape}, "
                f"{worst.workers} workers, {worst.minutes:.1f} min",
            ),
        ]
    return rows
