"""Which agents cannot be told apart: significance groups, and the ranks that are tenable.

All pairs are tested together by Holm's step-down method: it needs no simulation, so that the same
ratings always give the same letters, holds whatever the correlations are, and rejects whatever
Bonferroni's method would and more. With the correlations of a fit, Tukey's studentised range by
simulation would gain a few percent in width, and could give other letters for another seed.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

from arena.core import UsageError
from arena.stats.sequential import probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

MOST_LETTERED = 12
"""Agents beyond which letters run together: the ranks that are tenable say it better."""

# Groups are nearly always runs of neighbours, about one per agent at most. Should uneven
# precision make far more overlapping ones, runs of neighbours are shown instead.
_CLIQUES = 20


def different(mean: Floats, covariance: Floats, alpha: float = 0.05) -> Bools:
    """(n, n), symmetric: which pairs of agents differ. The probability that any pair is called
    different that is not is at most `alpha`, over all pairs together (Holm 1979).

    `mean` (n,) and `covariance` (n, n) are those of skills or of contrasts. Raises UsageError for
    numbers that are none.
    """
    import numpy as np
    from scipy.special import ndtr

    mean = np.asarray(mean, dtype=np.float64)
    covariance = np.asarray(covariance, dtype=np.float64)
    probability(alpha, "alpha")
    if covariance.shape != (len(mean), len(mean)):
        raise UsageError(
            f"{len(mean)} ratings have a covariance of shape {covariance.shape}: expected "
            f"({len(mean)}, {len(mean)})"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise UsageError("a rating is not a finite number: rate the games again")
    first, second = np.triu_indices(len(mean), 1)
    gap = np.abs(mean[first] - mean[second])
    spread = np.diag(covariance)
    variance = np.maximum(spread[first] + spread[second] - 2 * covariance[first, second], 0.0)
    # Below rounding a difference is none, however precisely it is known.
    gap = np.where(gap > 1e-9 * (1 + np.abs(mean).max(initial=0.0)), gap, 0.0)
    z = np.divide(gap, np.sqrt(variance), out=np.where(gap > 0, np.inf, 0.0), where=variance > 0)
    p = 2 * ndtr(-z)
    order = np.argsort(p, kind="stable")
    passed = p[order] <= alpha / np.arange(len(p), 0, -1)
    found = np.zeros(len(p), dtype=bool)
    found[order] = np.logical_and.accumulate(passed)
    matrix = np.zeros((len(mean), len(mean)), dtype=bool)
    matrix[first, second] = matrix[second, first] = found
    return matrix


def groups(mean: Floats, covariance: Floats, alpha: float = 0.05) -> tuple[str, ...]:
    """The letters of each agent, in the order given: two agents share a letter exactly if they
    cannot be told apart (see `different`); "a" is the group of the best.

    Letters run a-z, A-Z, then (53), (54), ... Where precision is so uneven that such letters would
    be more than a reader can use, a group is a run of neighbours instead: those who cannot be told
    apart still share one, but those who share one may differ.
    """
    import numpy as np

    mean = np.asarray(mean, dtype=np.float64)
    apart = different(mean, covariance, alpha)
    order = np.argsort(-mean, kind="stable")
    alike = ~apart[np.ix_(order, order)]
    members = _cliques(alike)
    if members is None:
        members = _runs(alike)
    letters = [""] * len(mean)
    for number, group in enumerate(sorted(members)):
        for place in group:
            letters[int(order[place])] += _letter(number)
    return tuple(letters)


def told_apart(mean: Floats, covariance: Floats, alpha: float = 0.05) -> int:
    """How many pairs of agents differ (see `different`)."""
    return int(different(mean, covariance, alpha).sum()) // 2


def ranks(mean: Floats, covariance: Floats, alpha: float = 0.05) -> tuple[tuple[int, int], ...]:
    """The best and the worst rank (from 1) of each agent that is tenable: 1 + those who are above
    it for certain, and n - those below. All of them hold together with probability 1 - alpha."""
    import numpy as np

    mean = np.asarray(mean, dtype=np.float64)
    apart = different(mean, covariance, alpha)
    above = apart & (mean[None, :] > mean[:, None])
    below = apart & (mean[None, :] < mean[:, None])
    best, worst = 1 + above.sum(axis=1), len(mean) - below.sum(axis=1)
    return tuple((int(low), int(high)) for low, high in zip(best, worst, strict=True))


def _cliques(alike: Bools) -> list[tuple[int, ...]] | None:
    """The largest sets of agents that are all alike (Bron and Kerbosch 1973, with a pivot), those
    left out whose pairs are all in others; None if there are too many."""
    size = len(alike)
    near = [
        sum(1 << other for other in range(size) if row[other] and other != place)
        for place, row in enumerate(alike.tolist())
    ]
    found: list[int] = []
    stack = [(0, (1 << size) - 1, 0)] if size else []
    steps = 0
    while stack:
        chosen, open_, closed = stack.pop()
        steps += 1
        if len(found) > _CLIQUES * size or steps > 20 * _CLIQUES * size:
            return None
        if not open_:
            if not closed:
                found.append(chosen)
            continue
        pivot = max(_places(open_ | closed), key=lambda place: (near[place] & open_).bit_count())
        for place in _places(open_ & ~near[pivot]):
            bit = 1 << place
            stack.append((chosen | bit, open_ & near[place], closed & near[place]))
            open_ &= ~bit
            closed |= bit
    return _needed([tuple(_places(clique)) for clique in found])


def _needed(members: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The groups without those all of whose pairs are in others, the smallest left out first."""
    uses: dict[tuple[int, int], int] = {}
    for group in members:
        for pair in _pairs(group):
            uses[pair] = uses.get(pair, 0) + 1
    kept = []
    for group in sorted(members, key=lambda group: (len(group), group)):
        if all(uses[pair] > 1 for pair in _pairs(group)):
            for pair in _pairs(group):
                uses[pair] -= 1
        else:
            kept.append(group)
    return kept


def _runs(alike: Bools) -> list[tuple[int, ...]]:
    """Runs of neighbours, from each agent to the last one that is like it."""
    runs: list[tuple[int, ...]] = []
    for place, row in enumerate(alike.tolist()):
        last = max(other for other, same in enumerate(row) if same)
        if not runs or last > runs[-1][-1]:
            runs.append(tuple(range(place, last + 1)))
    return runs


def _places(bits: int) -> list[int]:
    """The positions of the bits that are set, in ascending order."""
    places = []
    while bits:
        lowest = bits & -bits
        places.append(lowest.bit_length() - 1)
        bits ^= lowest
    return places


def _pairs(group: tuple[int, ...]) -> list[tuple[int, int]]:
    # An agent with itself counts as a pair, so that an agent unlike all others has a letter too.
    return [(one, other) for one in group for other in group if one <= other]


def _letter(number: int) -> str:
    letters = ascii_lowercase + ascii_uppercase
    return letters[number] if number < len(letters) else f"({number + 1})"
