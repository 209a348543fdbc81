"""TrueSkill in closed form against the `trueskill` package, game by random game.

The package computes with an exact backend (`arena.ratings.trueskill_package.exact`) on centred
skills without tau; that is the same model, reached by messages on a factor graph instead of a
formula. Its loop for more than two teams ends after ten sweeps whether or not it has converged;
here it goes on until its own `min_delta` is reached. What the package cannot compute is counted,
and the closed form must be finite there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from math import fsum, isfinite, sqrt
from multiprocessing import get_context
from typing import Any

import numpy as np

from arena.core.ratings import BETA, MU
from arena.ratings.trueskill import NOISE, TrueSkill, draw_margin
from arena.ratings.trueskill_package import exact, load
from proof.report import Figure, Part, Table

WITHIN = 1e-9
BATCH = 500
MIN_DELTA = 1e-12
SWEEPS = 100

_TAIL = 37.0
"""Standard deviations of surprise up to which a normal tail is a number with all its digits."""

Seat = tuple[int, int, int]
Skill = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Case:
    """One game to be rated: (agent_id, team, rank) of every seat, and what is known before it."""

    players: Sequence[Seat]
    ratings: dict[int, Skill]
    draw_probability: float


@dataclass(frozen=True, slots=True)
class Found:
    """Of one batch: cases `compared`, the largest difference in mu or sigma (relative to the
    number where that is above 1), cases in which the package `raised`, in which its tail had lost
    its digits (`faint`), and in which the closed form was not finite (`broken`)."""

    compared: int = 0
    worst: float = 0.0
    raised: int = 0
    faint: int = 0
    broken: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(
            self.compared + other.compared,
            max(self.worst, other.worst),
            self.raised + other.raised,
            self.faint + other.faint,
            self.broken + other.broken,
        )


def _skills(rng: np.random.Generator, agents: int, spread: float = 25.0) -> dict[int, Skill]:
    return {
        agent: (float(rng.uniform(MU - spread, MU + spread)), float(rng.uniform(0.3, 9.0)))
        for agent in range(agents)
    }


def _teams(sizes: Sequence[int], ranks: Sequence[int]) -> list[Seat]:
    agents = iter(range(sum(sizes)))
    return [
        (next(agents), team, int(rank))
        for team, (size, rank) in enumerate(zip(sizes, ranks, strict=True))
        for _ in range(size)
    ]


def two_teams(rng: np.random.Generator) -> Case:
    """Teams of the same size, one of which wins."""
    size = int(rng.integers(1, 6))
    players = _teams([size, size], rng.permutation(2).tolist())
    return Case(players, _skills(rng, 2 * size), float(rng.uniform(0.001, 0.9)))


def unequal(rng: np.random.Generator) -> Case:
    """Teams of different sizes, up to nine, with every sixth game drawn."""
    sizes = (rng.permutation(9)[:2] + 1).tolist()
    ranks = [0, 0] if rng.random() < 1 / 6 else rng.permutation(2).tolist()
    return Case(_teams(sizes, ranks), _skills(rng, sum(sizes)), float(rng.uniform(0.001, 0.9)))


def drawn(rng: np.random.Generator) -> Case:
    """Draws of teams of any sizes."""
    sizes = rng.integers(1, 6, 2).tolist()
    return Case(_teams(sizes, [0, 0]), _skills(rng, sum(sizes)), float(rng.uniform(0.01, 0.95)))


def extreme(rng: np.random.Generator) -> Case:
    """Teams up to 60 standard deviations apart, the favourite or the other one winning; every fifth
    game is a draw."""
    sizes = rng.integers(1, 4, 2).tolist()
    skills = _skills(rng, sum(sizes))
    gap = sum((mu - MU) * (1 if a < sizes[0] else -1) for a, (mu, _) in skills.items())
    deviation = sqrt(sum(s * s + NOISE for _, s in skills.values()))
    shift = (float(rng.uniform(-60.0, 60.0)) * deviation - gap) / sizes[0]
    for agent in range(sizes[0]):
        mu, sigma = skills[agent]
        skills[agent] = mu + shift, sigma
    ranks = [0, 0] if rng.random() < 0.2 else rng.permutation(2).tolist()
    return Case(_teams(sizes, ranks), skills, float(rng.uniform(0.01, 0.9)))


def clones(rng: np.random.Generator) -> Case:
    """Teams in which agents have several seats."""
    players: list[Seat] = []
    agent = 0
    ranks = [0, 0] if rng.random() < 1 / 6 else rng.permutation(2).tolist()
    for team, rank in enumerate(ranks):
        for _ in range(int(rng.integers(1, 3))):
            players += [(agent, team, int(rank))] * int(rng.integers(1, 5))
            agent += 1
    return Case(players, _skills(rng, agent, 12.0), float(rng.uniform(0.001, 0.9)))


def free_for_all(rng: np.random.Generator) -> Case:
    """Three to seven players, each for themselves, with ties."""
    count = int(rng.integers(3, 8))
    ranks = rng.integers(count, size=count) if rng.random() < 0.5 else rng.permutation(count)
    players = _teams([1] * count, ranks.tolist())
    return Case(players, _skills(rng, count, 12.0), float(rng.uniform(0.01, 0.9)))


CLASSES: dict[str, tuple[Callable[[np.random.Generator], Case], int]] = {
    "two teams": (two_teams, 30_000),
    "unequal teams": (unequal, 20_000),
    "draws": (drawn, 15_000),
    "extreme gaps": (extreme, 20_000),
    "clones": (clones, 15_000),
    "free for all": (free_for_all, 10_000),
}
"""How each class of cases is made, and how many there are at scale 1."""


def _surprise(case: Case) -> float:
    """How many deviations two teams were inside of what happened (negative: outside): the winner's
    lead less the margin of a draw, or the margin less the gap."""
    teams = sorted({(rank, team) for _, team, rank in case.players})
    (best, first), (worst, _) = teams
    gap = variance = 0.0
    weights: dict[int, int] = {}
    for agent, team, _ in case.players:
        weights[agent] = weights.get(agent, 0) + (1 if team == first else -1)
        variance += NOISE
    for agent, a in weights.items():
        mu, sigma = case.ratings[agent]
        gap += a * (mu - MU)
        variance += (a * sigma) ** 2
    margin = draw_margin(case.draw_probability, len(case.players))
    return (margin - abs(gap) if best == worst else gap - margin) / sqrt(variance)


def by_package(case: Case) -> dict[int, Skill]:
    """What the package says. An agent in n seats of a team is handed over as one player with n
    times the skill, whose uncertainty holds the noise of n − 1 seats as well: the package adds the
    noise of one. What it learns of that sum is divided up as for any two normal quantities."""
    package = exact(draw_probability=case.draw_probability, tau=0.0)
    seats: dict[int, dict[int, int]] = {}
    ranks: dict[int, int] = {}
    for agent, team, rank in case.players:
        counts = seats.setdefault(team, {})
        counts[agent] = counts.get(agent, 0) + 1
        ranks[team] = rank
    margins = len(case.players) - sum(len(team) for team in seats.values())
    if margins:
        # The package counts players for its margin, where the game has seats.
        width = draw_margin(case.draw_probability, len(case.players))
        players = len(case.players) - margins
        package.draw_probability = float(_within(width / (sqrt(players) * BETA)))
    sums = [
        [
            (a, n, n * (case.ratings[a][0] - MU), _spread(n, case.ratings[a][1]))
            for a, n in t.items()
        ]
        for t in seats.values()
    ]
    groups = [tuple(package.create_rating(mu, sd) for _, _, mu, sd in team) for team in sums]
    # Teams that share a place stand in order of strength, as in the closed form.
    finish = [*ranks.values()]
    chain = sorted(
        range(len(sums)), key=lambda at: (finish[at], -fsum(mean for _, _, mean, _ in sums[at]))
    )
    rated = package.rate(
        [groups[at] for at in chain], ranks=[finish[at] for at in chain], min_delta=MIN_DELTA
    )
    after: dict[int, Skill] = {}
    for team, group in zip((sums[at] for at in chain), rated, strict=True):
        for (agent, n, mean, deviation), new in zip(team, group, strict=True):
            mu, sigma = case.ratings[agent]
            share = n * sigma * sigma / (deviation * deviation)
            learnt = deviation * deviation - new.sigma * new.sigma
            after[agent] = (
                mu + share * (new.mu - mean),
                sqrt(sigma * sigma - share * share * learnt) if n > 1 else new.sigma,
            )
    return after


def _spread(seats: int, sigma: float) -> float:
    return sqrt((seats * sigma) ** 2 + (seats - 1) * NOISE) if seats > 1 else sigma


def _within(width: float) -> float:
    from statistics import NormalDist

    return 2.0 * NormalDist().cdf(width) - 1.0


@contextmanager
def _converging(package: Any) -> Iterator[None]:
    """The package's own loop, going on until its own criterion is met."""

    def sweeps(*bounds: int) -> range:
        return range(SWEEPS) if bounds == (10,) else range(*bounds)

    before = package.range
    package.range = sweeps
    try:
        yield
    finally:
        package.range = before


def compare(name: str, seed: np.random.SeedSequence, count: int) -> Found:
    """So many random cases of a class, rated by both."""
    rng = np.random.default_rng(seed)
    make = CLASSES[name][0]
    found = Found()
    with _converging(load()):
        for _ in range(count):
            found += _compare(make(rng))
    return found


def _compare(case: Case) -> Found:
    ours = TrueSkill().rate(case.players, case.ratings, case.draw_probability)
    if not all(isfinite(mu) and isfinite(sd) and sd > 0.0 for mu, sd in ours.values()):
        return Found(broken=1)
    try:
        theirs = by_package(case)
    except (FloatingPointError, ValueError, ZeroDivisionError):
        return Found(raised=1)
    if len({team for _, team, _ in case.players}) == 2 and _surprise(case) < -_TAIL:
        return Found(faint=1)
    worst = max(
        abs(a - b) / max(1.0, abs(b))
        for agent, skill in theirs.items()
        for a, b in zip(ours[agent], skill, strict=True)
    )
    return Found(compared=1, worst=worst)


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """More than 100,000 random cases that both can rate, at scale 1."""
    batches = []
    for name, (_, cases) in CLASSES.items():
        count = max(1, round(cases * scale))
        batches += [(name, min(BATCH, count - at)) for at in range(0, count, BATCH)]
    seeds = np.random.SeedSequence(seed).spawn(len(batches))
    names, counts = zip(*batches, strict=True)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(compare, names, seeds, counts))
    found = {
        name: sum((r for n, r in zip(names, results, strict=True) if n == name), Found())
        for name in CLASSES
    }
    total = sum(found.values(), Found())
    cases = sum(counts)
    figures = [
        Figure("random cases", cases),
        Figure("cases compared", total.compared, least=100_000 if scale >= 1.0 else None),
        *(
            Figure(f"largest difference, {name}", result.worst, most=WITHIN)
            for name, result in found.items()
        ),
        Figure("cases in which the package raises", total.raised),
        Figure("cases in which the closed form is not finite", total.broken, most=0),
    ]
    table = Table(
        "Closed form and package",
        ("cases of", "compared", "largest difference", "the package raises", "beyond its digits"),
        [(name, r.compared, r.worst, r.raised, r.faint) for name, r in found.items()],
    )
    return Part(
        "closed form",
        f"{cases:,} random games from seed {seed}, rated by the closed form and by the trueskill "
        "package with an exact backend, centred, tau 0. A difference is of mu or sigma, relative "
        "where the number is above 1. Free-for-alls run until the package's own min_delta of "
        f"{MIN_DELTA:g} is reached. Where the package raises, or the probability of a result is "
        f"below that of {_TAIL:g} deviations, so that its tail has lost its digits, there is "
        "nothing to compare with: the closed form must be finite there.",
        figures,
        [table],
    )
