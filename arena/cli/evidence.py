"""Says how near a comparison is to its end: while it plays, and when it has ended."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from arena.cli.output import count

if TYPE_CHECKING:
    from arena.core import Evidence

MOST_PAIRS = 5  # of several, so many of those that are nearest to a decision

_HALVES = ("0", "½", "1", "1½", "2")


def score(share: float) -> str:
    """A score from 0 to 1 as `61.2 %`."""
    return f"{100 * share:.1f} %"


def statistic_words(test: str, statistic: float, bounds: tuple[float, float]) -> str:
    """A test's statistic against where it stops."""
    low, high = bounds
    match test:
        case "gsprt":
            return (
                f"log likelihood ratio {statistic:.2f}, the test stops at {low:.2f} and {high:.2f}"
            )
        case "evalue":
            return f"e-value {exponential(statistic)}, the test stops at {exponential(high)}"
        case _:
            return f"t {statistic:.2f}, beyond ±{high:.2f} shows a difference"


def exponential(log: float) -> str:
    """An e-value by its logarithm; one that is no number any more is as large as can be said."""
    return f"{math.exp(min(log, 700)):.3g}"


def evidence_line(found: Sequence[Evidence], names: Mapping[int, str]) -> str:
    """All of it in one line, as a log has it; empty without any."""
    return "; ".join(evidence_lines(found, names)[:2])


def evidence_lines(found: Sequence[Evidence], names: Mapping[int, str]) -> list[str]:
    """Of one pair its score, its statistic and its blocks; of several how many are decided, and
    those that are nearest to it."""
    if not found:
        return []
    if len(found) == 1:
        return [*_of_one(found[0], names)]
    decided = sum(pair.decided for pair in found)
    still = [pair for pair in found if not pair.decided and pair.blocks]
    still.sort(key=lambda pair: -(pair.statistic or 0.0))
    return [
        f"{decided:,} of {count(len(found), 'pair')} decided",
        *("; ".join(_of_one(pair, names, brief=True)) for pair in still[:MOST_PAIRS]),
    ]


def _of_one(pair: Evidence, names: Mapping[int, str], *, brief: bool = False) -> Iterator[str]:
    a, b = (names.get(agent, f"agent {agent}") for agent in (pair.a, pair.b))
    blocks = count(pair.blocks, "block")
    if pair.statistic is None or pair.estimate is None:
        once = ", which are looked at once, at the end" if pair.test == "fixed" else ""
        yield f"{a} against {b}: {blocks}{once}"
        return
    within = ""
    if pair.interval is not None:
        low, high = pair.interval
        within = f" (95 % interval {score(low)} to {score(high)})"
    yield f"{a} scores {score(pair.estimate)}{within} against {b} in {blocks}"
    yield statistic_words(pair.test, pair.statistic, pair.bounds)
    if not brief:
        shown = ", ".join(
            f"{won}: {number:,}" for won, number in zip(_HALVES, pair.counts, strict=True)
        )
        yield f"blocks by what {a} won of their 2 games: {shown}"
