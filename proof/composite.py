"""Whether the effects of kinds, models and prompts, and combinations that never played, are where
their intervals say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.core.ratings import BETA
from arena.ratings.composite import PARTS, composite, limited_by, part_contrasts, predicted
from arena.ratings.probit import Probit
from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.worlds import MAFIA_35, Composition, World

COUNTS = (50, 200, 1_000, 5_000)
REPETITIONS = (400, 400, 300, 200)
COVERAGE = (0.90, 0.97)
INTERVAL = 1.959963984540054
AGENTS = 16
SLICE = 10

WORLDS = (
    replace(MAFIA_35, name="without interaction", agents=AGENTS, composition=Composition()),
    replace(
        MAFIA_35,
        name="with interaction",
        agents=AGENTS,
        composition=Composition(interaction=0.25 * BETA),
    ),
)

COLUMNS = (
    "kinds' coverage",
    "models' coverage",
    "prompts' coverage",
    "unseen combinations' coverage",
    "unseen combinations' correlation",
    "agents' coverage",
    "agents' correlation",
    "agents' correlation, probit",
    "width of models left with endless games",
)


@dataclass(frozen=True, slots=True)
class Job:
    world: World
    games: int
    seeds: Sequence[np.random.SeedSequence]


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Coverage with and without interaction; `scale` shrinks the repetitions."""
    jobs: list[Job] = []
    places: list[tuple[int, int]] = []
    roots = np.random.SeedSequence(seed).spawn(len(WORLDS) * len(COUNTS))
    for w, world in enumerate(WORLDS):
        for n, games in enumerate(COUNTS):
            count = max(2, round(scale * REPETITIONS[n]))
            seeds = roots[w * len(COUNTS) + n].spawn(count)
            for at in range(0, count, SLICE):
                jobs.append(Job(world, games, seeds[at : at + SLICE]))
                places.append((w, n))
    found: dict[tuple[int, int], list[list[float]]] = {}
    for place, rows in zip(places, spread(play, jobs, processes), strict=True):
        found.setdefault(place, []).extend(rows)
    figures: list[Figure] = []
    table_rows: list[Sequence[str | float]] = []
    for (w, n), rows in found.items():
        where = f"{WORLDS[w].name}, {COUNTS[n]:,} games"
        table = np.array(rows)
        means = np.nanmean(table, axis=0)
        errors = np.nanstd(table, axis=0, ddof=1) / np.sqrt(len(table))
        for column, name in enumerate(COLUMNS):
            if "coverage" in name:
                value, error = float(means[column]), float(errors[column])
                figures.append(Figure(f"{name}, {where}", value, *COVERAGE, error=error))
        table_rows.append((where, *(f"{mean:.3f}" for mean in means)))
    composition = WORLDS[0].composition
    assert composition is not None
    counts = ", ".join(str(max(2, round(scale * count))) for count in REPETITIONS)
    setting = (
        f"{AGENTS} agents out of the {composition.kinds * composition.models * composition.prompts}"
        f" combinations of {composition.kinds} kinds, {composition.models} models and "
        f"{composition.prompts} prompts, at 2v4 with villagers winning 35 %; effects of standard "
        "deviation 0.25, 0.45 and 0.35 beta, interaction 0 or 0.25 beta. Repetitions at "
        f"50, 200, 1,000 and 5,000 games: {counts}; seed {seed}."
    )
    return Part(
        "Composite agents",
        setting,
        figures,
        [Table("Composite agents", ("world and games", *COLUMNS), table_rows)],
    )


def play(job: Job) -> list[list[float]]:
    """A row of COLUMNS for every repetition."""
    return [repetition(job.world, job.games, seed) for seed in job.seeds]


def repetition(world: World, games: int, seed: np.random.SeedSequence) -> list[float]:
    rng = np.random.default_rng(seed)
    truth = world.truth(rng)
    parts = truth.parts
    assert parts is not None
    played = truth.play(games, rng)
    names = parts.names()
    ratings = composite(played, names)
    row = []
    for axis, by in enumerate(PARTS):
        seen, mean, covariance = part_contrasts(ratings, names, by)
        own = parts.effects[axis][[int(name[1:]) for name in seen]]
        half = INTERVAL * np.sqrt(np.diag(covariance))
        row.append(_share(mean, own - own.mean(), half) if len(seen) > 1 else np.nan)
    unplayed = parts.unplayed()
    combos = [(f"k{k}", f"m{m}", f"p{p}") for k, m, p in unplayed.tolist()]
    guessed, sd = predicted(ratings, combos)
    unseen = parts.skill(unplayed) - parts.skill(parts.combinations).mean()
    row += [_share(guessed, unseen, INTERVAL * sd), _correlation(guessed, unseen)]
    agents = range(world.agents)
    mean, covariance = ratings.contrasts(agents)
    row += [
        _share(mean, truth.overall, INTERVAL * np.sqrt(np.diag(covariance))),
        _correlation(mean, truth.overall),
        _correlation(Probit().fit(played).contrasts(agents)[0], truth.overall),
    ]
    limit = limited_by(ratings, names, "model")
    return [*row, float(limit.endless.sum() / limit.now.sum()) if len(limit.now) > 1 else np.nan]


def _share(
    mean: np.ndarray[tuple[int], np.dtype[np.float64]],
    truth: np.ndarray[tuple[int], np.dtype[np.float64]],
    half: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> float:
    return float(np.mean(np.abs(mean - truth) <= half))


def _correlation(
    a: np.ndarray[tuple[int], np.dtype[np.float64]],
    b: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> float:
    return float(np.corrcoef(a, b)[0, 1])
