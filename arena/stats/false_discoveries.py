"""Many pairs tested together by betting, with a bound on the share of false discoveries.

Wang and Ramdas, False discovery rate control with e-values (JRSS B, 2022): of K hypotheses with
e-values, however these depend on each other, e-BH rejects the k with the highest, for the largest
k whose k-th highest is at least K / (k alpha); then on average at most alpha of what it rejects is
true. A test by betting (`arena.stats.evalue`) may stop whenever it likes, so that pairs may stop
one by one, by whatever all of them have shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING

from arena.core import UsageError
from arena.stats.evalue import wealth
from arena.stats.sequential import positions, probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_EVEN = 0.5


def discoveries(logs: Floats, alpha: float = 0.05) -> Bools:
    """(..., K): which of K hypotheses e-BH rejects at level `alpha`, given the logs of their
    e-values (..., K). -inf is an e-value of 0."""
    import numpy as np

    number = logs.shape[-1]
    places = np.arange(1, number + 1)
    ordered = np.sort(logs, axis=-1)[..., ::-1]
    enough = ordered >= log(number / alpha) - np.log(places) - 1e-12
    most = (enough * places).max(axis=-1, keepdims=True)
    bound = np.take_along_axis(ordered, np.maximum(most - 1, 0), axis=-1)
    return np.asarray((logs >= bound) & (most > 0))


def stakes(counts: Floats) -> Floats:
    """(..., 2): the logs of the e-values that A's expected score is above one half, and below,
    given how many blocks (..., 2 * games + 1) had each score. Each has half of the stake, so that
    each pair is two hypotheses of 2 K and a wrong direction is a false discovery."""
    import numpy as np

    up, down = wealth(counts, _EVEN), wealth(counts[..., ::-1], _EVEN)
    return np.stack([up, down], axis=-1) - log(2.0)


@dataclass(slots=True)
class PairTests:
    """The tests of `pairs` pairs, fed with their blocks in the order of one schedule.

    After every block e-BH looks at all pairs; one that is rejected stops there, and later blocks of
    it are counted as `unused`. The others can only lower the bound, so it stays rejected. `counts`
    (pairs, 2 * games + 1) are the blocks used by their score, `logs` (pairs, 2) see `stakes`.
    Raises UsageError for no pair, and for a level that is none.
    """

    pairs: int
    alpha: float = 0.05
    games: int = 2
    counts: Floats = field(init=False)
    logs: Floats = field(init=False)
    rejected: Bools = field(init=False)
    unused: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        import numpy as np

        if self.pairs < 1:
            raise UsageError(f"{self.pairs} pairs: expected one at least")
        probability(self.alpha, "alpha", 0.5)
        self.counts = np.zeros((self.pairs, 2 * self.games + 1))
        self.logs = np.full((self.pairs, 2), -log(2.0))
        self.rejected = np.zeros(self.pairs, dtype=bool)
        self.unused = np.zeros(self.pairs, dtype=np.int64)

    def add(self, pair: int, score: float) -> None:
        """Take one more block of a pair. Raises UsageError for a score that a block cannot have."""
        (place,) = positions([score], self.games)
        if self.rejected[pair]:
            self.unused[pair] += 1
            return
        self.counts[pair, place] += 1
        self.logs[pair] = stakes(self.counts[pair])
        self.rejected |= discoveries(self.logs.max(axis=1), self.alpha)

    @property
    def bound(self) -> float:
        """The log of the e-value at which the next pair alone would be rejected: the more are, the
        lower it is."""
        found = int(self.rejected.sum())
        return log(self.pairs / (self.alpha * min(found + 1, self.pairs)))

    def favours(self, pair: int) -> int:
        """1 where the pair is decided for A, -1 where against A, 0 where it is not decided."""
        if not self.rejected[pair]:
            return 0
        return 1 if self.logs[pair, 0] >= self.logs[pair, 1] else -1
