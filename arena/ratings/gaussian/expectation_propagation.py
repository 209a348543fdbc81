"""More than two teams in one game: each place against the next, by expectation propagation.

The model is the chain of Herbrich, Minka and Graepel (NIPS 2006): neighbours in order of finish
differ by more than a margin, or by less where they share a rank. Each of these comparisons is
replaced by the normal distribution that has the same effect, sweep after sweep, until none moves.

`independent` passes messages along the chain and wants every agent in one team only; `shared` takes
agents that sit in several teams, each still one skill, and conditions on the whole of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from arena.ratings.gaussian.truncated import draw, win

SWEEPS = 200
"""A chain settles in about ten sweeps; this only bounds the strangest ones."""

_SETTLED = 1e-10  # in deviations; each sweep gains a digit, so the last one is nearer still


@dataclass(frozen=True, slots=True)
class TeamSide:
    """One team: `seats[agent_id]` is how many seats the agent has in it, `mean` and `variance` are
    of the team's performance, with the noise of every seat."""

    seats: Mapping[int, int]
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Link:
    """A team and the one that finished next: `margin` in points, `drawn` for equal ranks."""

    margin: float
    drawn: bool


@dataclass(frozen=True, slots=True)
class Site:
    """A normal distribution that stands for one comparison; precision 0 says nothing."""

    precision: float
    mean: float


def independent(sides: Sequence[TeamSide], links: Sequence[Link]) -> list[tuple[float, float]]:
    """What the finish says of every team, in order of finish: (gain, shrink) of each.

    An agent with variance s² in `a` seats of the team goes to mu + a·s²·gain and
    s²·(1 − a²·s²·shrink). `links[i]` is between `sides[i]` and `sides[i + 1]`.
    """
    last = len(links) - 1
    down = [(i, True) for i in range(last)]
    up = [(i, False) for i in range(last, 0, -1)]
    from_above = [Site(0.0, 0.0)] * len(sides)
    from_below = [Site(0.0, 0.0)] * len(sides)
    seen = [(0.0, 0.0)] * len(links)

    def compare(i: int, downwards: bool) -> float:
        upper_mean, upper_variance = _belief(sides[i], from_above[i])
        lower_mean, lower_variance = _belief(sides[i + 1], from_below[i + 1])
        site, moment = _match(upper_mean - lower_mean, upper_variance + lower_variance, links[i])
        if downwards:
            from_above[i + 1] = _behind(site, upper_variance, upper_mean - site.mean)
        else:
            from_below[i] = _behind(site, lower_variance, lower_mean + site.mean)
        moved = _distance(moment, seen[i])
        seen[i] = moment
        return moved

    for _ in range(SWEEPS):
        if max(compare(i, downwards) for i, downwards in (*down, *up)) < _SETTLED:
            break
    compare(0, False)
    compare(last, True)
    return [
        _conclusion(side, above, below)
        for side, above, below in zip(sides, from_above, from_below, strict=True)
    ]


def _belief(side: TeamSide, message: Site) -> tuple[float, float]:
    """Mean and variance of a team's performance with one neighbour's message taken in."""
    scale = 1.0 + message.precision * side.variance
    gain = side.variance * message.precision / scale
    return side.mean + gain * (message.mean - side.mean), side.variance / scale


def _behind(site: Site, variance: float, mean: float) -> Site:
    """The message to a team from a comparison, through a neighbour known up to `variance`."""
    return Site(site.precision / (1.0 + site.precision * variance), mean)


def _match(mean: float, variance: float, link: Link) -> tuple[Site, tuple[float, float]]:
    """The site with the same first two moments as the comparison, and these moments in units of
    the deviation: (v, 1 − w)."""
    deviation = sqrt(variance)
    t, margin = mean / deviation, link.margin / deviation
    v, w, rest = draw(t, margin) if link.drawn else win(t - margin)
    if w <= 0.0:
        return Site(0.0, 0.0), (v, rest)
    return Site(w / (rest * variance), mean + deviation * v / w), (v, rest)


def _distance(new: tuple[float, float], old: tuple[float, float]) -> float:
    return max(abs(new[0] - old[0]) / (1.0 + abs(new[0])), abs(new[1] - old[1]))


def _conclusion(side: TeamSide, above: Site, below: Site) -> tuple[float, float]:
    precision = above.precision + below.precision
    pull = above.precision * (above.mean - side.mean) + below.precision * (below.mean - side.mean)
    scale = 1.0 + precision * side.variance
    return pull / scale, precision / scale


def shared(
    sides: Sequence[TeamSide],
    links: Sequence[Link],
    skills: Mapping[int, tuple[float, float]],
    noise: float,
) -> dict[int, tuple[float, float]]:
    """(mu, variance) of every agent after a finish in which agents sit in several teams.

    `skills[agent_id]` is (mu, variance) before it, `noise` the variance of one seat's performance.
    Cubic in the number of teams for each comparison: some milliseconds for six teams.
    """
    agents = list(skills)
    size = len(agents)
    weights = [
        [upper.seats.get(agent, 0) - lower.seats.get(agent, 0) for agent in agents]
        for upper, lower in pairwise(sides)
    ]
    mean, covariance = _joint(sides, weights, [skills[agent] for agent in agents], noise)
    gaps, spread = mean[size:], [row[size:] for row in covariance[size:]]
    sites = [Site(0.0, 0.0)] * len(links)
    seen = [(0.0, 0.0)] * len(links)
    order = [*range(len(links)), *reversed(range(len(links)))]
    for _ in range(SWEEPS):
        moved = 0.0
        for i in order:
            others = {k: site for k, site in enumerate(sites) if k != i}
            means, variances = _condition(gaps, spread, others)
            sites[i], moment = _match(means[i], variances[i][i], links[i])
            moved = max(moved, _distance(moment, seen[i]))
            seen[i] = moment
        if moved < _SETTLED:
            break
    mean, covariance = _condition(
        mean, covariance, {size + k: site for k, site in enumerate(sites)}
    )
    return {agent: (mean[k], covariance[k][k]) for k, agent in enumerate(agents)}


Vector = list[float]
Matrix = list[list[float]]


def _joint(
    sides: Sequence[TeamSide],
    weights: Sequence[Sequence[int]],
    skills: Sequence[tuple[float, float]],
    noise: float,
) -> tuple[Vector, Matrix]:
    """Mean and covariance of the skills, followed by the gaps between neighbours."""
    size, total = len(skills), len(skills) + len(weights)
    mean = [mu for mu, _ in skills]
    covariance = [[0.0] * total for _ in range(total)]
    for k, (_, variance) in enumerate(skills):
        covariance[k][k] = variance
        for i, row in enumerate(weights):
            covariance[k][size + i] = covariance[size + i][k] = row[k] * variance
    for i, row in enumerate(weights):
        mean.append(sides[i].mean - sides[i + 1].mean)
        for j, other in enumerate(weights):
            common = 0.0
            for a, b, (_, variance) in zip(row, other, skills, strict=True):
                common += a * b * variance
            covariance[size + i][size + j] += common
        upper, lower = (noise * sum(side.seats.values()) for side in sides[i : i + 2])
        covariance[size + i][size + i] += upper + lower
        if i + 1 < len(weights):
            covariance[size + i][size + i + 1] -= lower
            covariance[size + i + 1][size + i] -= lower
    return mean, covariance


def _condition(
    mean: Vector, covariance: Matrix, sites: Mapping[int, Site]
) -> tuple[Vector, Matrix]:
    """The joint normal distribution after noisy sight of some of its coordinates."""
    mean, covariance = list(mean), [list(row) for row in covariance]
    for k, site in sites.items():
        if site.precision == 0.0:
            continue
        column = [row[k] for row in covariance]
        scale = site.precision / (1.0 + site.precision * column[k])
        surprise = (site.mean - mean[k]) * scale
        for i, value in enumerate(column):
            mean[i] += value * surprise
            part = value * scale
            row = covariance[i]
            for j, other in enumerate(column):
                row[j] -= part * other
    return mean, covariance
