"""What rating systems find out about agents of known skill, and how well they know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from arena import registry
from arena.core import Games, Ratings, RatingSystem
from arena.ratings.prediction import predict
from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.worlds import (
    DUEL,
    FREE_FOR_ALL,
    MAFIA_35,
    MAFIA_50,
    MAFIA_65,
    Truth,
    World,
    regret,
    role_specific,
)

COUNTS = (50, 200, 1_000, 5_000)
PROBIT = "probit"
PACKAGE = "package, defaults"
INTERVAL = 1.959963984540054
LINEUPS = 200
SLICE_SECONDS = 20.0

LEAST_CORRELATION = (0.61, 0.84, 0.95, 0.98)
MOST_REGRET = (70.0, 26.0, 6.0, 1.2)
COVERAGE = (0.90, 0.97)


@dataclass(frozen=True, slots=True)
class Plan:
    """A world with its repetitions per number of games: of `probit`, and of all systems."""

    world: World
    probit: tuple[int, int, int, int]
    every: tuple[int, int, int, int]
    package: tuple[int, int, int, int] = (0, 0, 0, 0)


PLANS = (
    Plan(MAFIA_35, (1_500, 600, 300, 200), (100, 80, 40, 20), (40, 20, 8, 4)),
    Plan(MAFIA_50, (200, 150, 80, 40), (40, 25, 12, 6)),
    Plan(MAFIA_65, (200, 150, 80, 40), (40, 25, 12, 6)),
    Plan(role_specific(MAFIA_35), (400, 250, 150, 100), (60, 40, 20, 12)),
    Plan(role_specific(MAFIA_50), (200, 150, 80, 40), (20, 15, 8, 4)),
    Plan(role_specific(MAFIA_65), (200, 150, 80, 40), (20, 15, 8, 4)),
    Plan(DUEL, (200, 150, 80, 40), (40, 25, 12, 6)),
    Plan(FREE_FOR_ALL, (80, 50, 25, 10), (30, 20, 10, 4)),
)


@dataclass(frozen=True, slots=True)
class Job:
    """Repetitions of one world and number of games, with the systems that take part in each."""

    world: World
    games: int
    seeds: Sequence[np.random.SeedSequence]
    systems: Sequence[Sequence[str]]
    lineups: int


@dataclass(frozen=True, slots=True)
class Score:
    """Of one repetition: rank correlation, regret in millinats (NaN where games have no two teams),
    and the share of 95 % intervals with the truth in them, overall and in the roles (NaN where
    roles differ in nothing)."""

    system: str
    correlation: float
    regret: float
    coverage: float
    role_coverage: float


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Every system in every world; `scale` shrinks the repetitions."""
    others = [name for name in loadable() if name != PROBIT]
    jobs: list[Job] = []
    places: list[tuple[int, int]] = []
    roots = np.random.SeedSequence(seed).spawn(len(PLANS) * len(COUNTS))
    for w, plan in enumerate(PLANS):
        for n, games in enumerate(COUNTS):
            probit, every, package = (
                max(1, round(scale * count)) if count else 0
                for count in (plan.probit[n], plan.every[n], plan.package[n])
            )
            seeds = roots[w * len(COUNTS) + n].spawn(probit)
            systems = [
                [
                    PROBIT,
                    *(others if repetition < every else []),
                    *([PACKAGE] if repetition < package else []),
                ]
                for repetition in range(probit)
            ]
            step = max(1, int(SLICE_SECONDS * 50 / (50 + games)))
            for at in range(0, probit, step):
                cut = slice(at, at + step)
                jobs.append(Job(plan.world, games, seeds[cut], systems[cut], LINEUPS))
                places.append((w, n))
    found: dict[tuple[int, int], list[Score]] = {}
    # The longest first, so that no process waits for the other at the end.
    order = sorted(range(len(jobs)), key=lambda j: (-jobs[j].games, j))
    for j, scores in zip(order, spread(play, [jobs[j] for j in order], processes), strict=True):
        found.setdefault(places[j], []).extend(scores)
    return _report(found, others, seed, scale)


def play(job: Job) -> list[Score]:
    """The scores of a job's repetitions."""
    scores = []
    for source, systems in zip(job.seeds, job.systems, strict=True):
        rng = np.random.default_rng(source)
        truth = job.world.truth(rng)
        games = truth.play(job.games, rng)
        lineups = truth.lineups(job.lineups, rng)
        for name in systems:
            ratings = by_package(games) if name == PACKAGE else registry.rating(name).fit(games)
            scores.append(score(name, ratings, truth, lineups))
    return scores


def score(system: str, ratings: Ratings, truth: Truth, lineups: NDArray[np.int64]) -> Score:
    """How well the ratings know the truth."""
    world = truth.world
    agents = range(len(truth.overall))
    mean, covered = _covered(ratings, truth.overall, None)
    roles = [
        _covered(ratings, truth.by_role[:, at], role)[1] for at, role in enumerate(world.roles)
    ]
    cost = np.nan
    if len(world.teams) == 2:
        predicted = [_first_wins(ratings, world, lineup) for lineup in lineups.tolist()]
        cost = regret(truth.probability(lineups), np.array(predicted))
    return Score(
        system=system,
        correlation=float(spearmanr(mean, truth.overall[list(agents)]).statistic),
        regret=cost,
        coverage=covered,
        role_coverage=float(np.mean(roles)) if world.role_sd > 0.0 else np.nan,
    )


def _covered(
    ratings: Ratings, truth: NDArray[np.float64], role: str | None
) -> tuple[NDArray[np.float64], float]:
    mean, covariance = ratings.contrasts(range(len(truth)), role)
    half = INTERVAL * np.sqrt(np.diag(covariance))
    off = mean - (truth - truth.mean())
    return mean, float(np.mean(np.abs(off) <= half))


def _first_wins(ratings: Ratings, world: World, lineup: Sequence[int]) -> float:
    seats = iter(lineup)
    teams = [[(next(seats), role) for role in team] for team in world.teams]
    win, draw, _ = predict(ratings, teams)
    return win + draw / 2.0


def by_package(games: Games) -> Ratings:
    """What the `trueskill` package makes of the games at its default settings: its team sums of
    mu = 25 and more, and independent agents. A win's probability takes no draws into account."""
    from arena.ratings.trueskill_package import load

    package = load().TrueSkill()
    rated: dict[int, object] = {}
    counts: dict[int, int] = {}
    for game in games:
        teams: dict[int, list[int]] = {}
        for player in game:
            teams.setdefault(player.team, []).append(player.agent_id)
            counts[player.agent_id] = counts.get(player.agent_id, 0) + 1
        ranks = {player.team: player.rank for player in game}
        groups = [
            tuple(rated.get(agent) or package.create_rating() for agent in team)
            for team in teams.values()
        ]
        after = package.rate(groups, ranks=[ranks[team] for team in teams])
        for team, group in zip(teams.values(), after, strict=True):
            rated.update(zip(team, group, strict=True))
    ids = sorted(rated)
    return Ratings(
        system=PACKAGE,
        terms={("agent", str(agent)): at for at, agent in enumerate(ids)},
        mean=np.array([rated[agent].mu for agent in ids]),  # type: ignore[attr-defined]
        covariance=np.diag([rated[agent].sigma ** 2 for agent in ids]),  # type: ignore[attr-defined]
        games=counts,
    )


def loadable() -> list[str]:
    """The registered systems whose libraries are there."""
    loaded = []
    for name in registry.names("ratings"):
        try:
            system: RatingSystem = registry.rating(name)
        except Exception:  # a system that does not load is left out of the table, which shows it
            continue
        loaded.append(system.name)
    return loaded


def _report(
    found: dict[tuple[int, int], list[Score]], others: Sequence[str], seed: int, scale: float
) -> Part:
    figures: list[Figure] = []
    tables: list[Table] = []
    columns = ("system", *(f"{games:,}" for games in COUNTS))
    for w, plan in enumerate(PLANS):
        name = plan.world.name
        promised = plan.world is MAFIA_35
        for n, games in enumerate(COUNTS):
            at = f"{name}, {games:,} games"
            own = [score for score in found[w, n] if score.system == PROBIT]
            least = LEAST_CORRELATION[n] if promised else None
            figures.append(_figure(f"rank correlation, {at}", "correlation", own, least))
            if len(plan.world.teams) == 2:
                most = MOST_REGRET[n] if promised else None
                figures.append(_figure(f"regret, millinats, {at}", "regret", own, None, most))
            figures.append(_figure(f"coverage, {at}", "coverage", own, *COVERAGE))
            if plan.world.role_sd > 0.0:
                what = f"coverage in a role, {at}"
                figures.append(_figure(what, "role_coverage", own, *COVERAGE))
        for title, of in (
            ("rank correlation", "correlation"),
            ("regret in millinats", "regret"),
            ("coverage of 95 % intervals", "coverage"),
        ):
            if of == "regret" and len(plan.world.teams) != 2:
                continue
            rows = []
            for system in (PROBIT, *others, *([PACKAGE] if any(plan.package) else [])):
                cells = [_mean(_shared(found[w, n], system, of)) for n in range(len(COUNTS))]
                rows.append((system, *(_shown(value, of) for value, _ in cells)))
            tables.append(Table(f"{name}: {title}", columns, rows))
    setting = (
        f"12 agents with skills of standard deviation 0.65 beta, random lineups of different "
        f"agents, seed {seed}. Repetitions of probit per number of games: "
        + "; ".join(
            f"{plan.world.name}: "
            + ", ".join(str(max(1, round(scale * count))) for count in plan.probit)
            for plan in PLANS
        )
        + ". The other systems are fitted to the first of these games: "
        + "; ".join(
            f"{plan.world.name}: "
            + ", ".join(str(max(1, round(scale * count))) for count in plan.every)
            for plan in PLANS
        )
        + ", and only these are in the tables. Rank correlation is Spearman's; regret is the mean "
        f"Kullback-Leibler divergence from the true probability over "
        f"{LINEUPS} random lineups; intervals are those of the contrast to the pool's mean."
    )
    return Part("Rating systems", setting, figures, tables)


def _shared(scores: Sequence[Score], system: str, of: str) -> list[float]:
    """A system's, of `probit` only those of the games that the others were fitted to as well: they
    are the first ones."""
    others = [score.system for score in scores if score.system not in (PROBIT, PACKAGE)]
    found = [float(getattr(score, of)) for score in scores if score.system == system]
    return found[: others.count(others[0])] if others else found


def _figure(
    what: str,
    of: str,
    scores: Sequence[Score],
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    value, error = _mean([getattr(score, of) for score in scores])
    return Figure(f"{PROBIT}: {what}", value, least, most, error)


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error."""
    if not values:
        return float("nan"), float("nan")
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return float(np.mean(values)), float(error)


def _shown(value: float, of: str) -> str:
    return f"{value:.1f}" if of == "regret" and value >= 2.0 else f"{value:.3f}"
