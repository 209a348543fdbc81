"""Whether covariates make ratings and comparisons surer and leave what they estimate as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.special import ndtr

from arena.ratings.probit import Probit
from arena.record.covariates import DOUBTED
from arena.stats.covariates import adjusted_mean, expectation_kept
from proof.covariate_worlds import Scores, play
from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.worlds import DUEL, MAFIA_35, World, role_specific

COVERAGE = (0.90, 0.97)
INTERVAL = 1.959963984540054
REPETITIONS, SLICE = 60, 6
COMPARISONS, BLOCKS = 4_000, 60
LUCK = 0.5
FOUND, MANY = 0.3, 1_000
"""A leak as large is to be found in so many games."""

DRAWS = replace(DUEL, name="two players, draws", margin=2.0)
CELLS: tuple[tuple[World, Scores, int], ...] = (
    (DUEL, Scores(0.0), 200),
    (DUEL, Scores(0.6), 200),
    (DUEL, Scores(0.6), 1_000),
    (DUEL, Scores(0.8, "sign"), 200),
    (DRAWS, Scores(0.6, missing=0.3), 200),
    (MAFIA_35, Scores(0.6), 200),
    (MAFIA_35, Scores(0.6), 1_000),
    (MAFIA_35, Scores(0.8, "sign"), 200),
    (role_specific(MAFIA_35), Scores(0.6), 600),
)
LEAKS: tuple[tuple[World, Scores, int], ...] = (
    (MAFIA_35, Scores(0.6, leaks=0.1), 200),
    (MAFIA_35, Scores(0.6, leaks=0.1), 1_000),
    (MAFIA_35, Scores(0.6, leaks=0.3), 200),
    (MAFIA_35, Scores(0.6, leaks=0.3), 1_000),
    (MAFIA_35, Scores(0.6, leaks=0.3), 5_000),
)


@dataclass(frozen=True, slots=True)
class Job:
    """Repetitions of a cell, by its place among the cells that are kept or those that leak."""

    kind: Literal["kept", "leaks"]
    cell: int
    seeds: Sequence[np.random.SeedSequence]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Of one pool: the share of intervals with the truth in them, with the covariate and without,
    the variance that it said to save, the squared error in units of that without, the slope of the
    truth on the ratings, and whether the covariate would have been refused."""

    covered: float
    plain: float
    saved: float
    error: float
    slope: float
    refused: bool


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Coverage, variance and scale in every cell; `scale` shrinks the repetitions."""
    jobs = []
    roots = iter(np.random.SeedSequence(seed).spawn(len(CELLS) + len(LEAKS) + 1))
    for kind, cells in (("kept", CELLS), ("leaks", LEAKS)):
        for cell, (_, _, games) in enumerate(cells):
            most = REPETITIONS if games < 5_000 else REPETITIONS // 3
            seeds = next(roots).spawn(max(2, round(scale * most)))
            jobs += [Job(kind, cell, seeds[at : at + SLICE]) for at in range(0, len(seeds), SLICE)]
    found: dict[tuple[str, int], list[Fitted]] = {}
    for job, fitted in zip(jobs, spread(fit, jobs, processes), strict=True):
        found.setdefault((job.kind, job.cell), []).extend(fitted)
    figures, rows = [], []
    for (kind, cell), of in found.items():
        world, scores, games = (CELLS if kind == "kept" else LEAKS)[cell]
        name = f"{world.name}, {_named(scores)}, {games:,} games"
        rows.append((name, *_row(of)))
        if kind == "kept":
            figures += _promised(name, scores, of)
        elif scores.leaks >= FOUND and games >= MANY:
            refused = float(np.mean([each.refused for each in of]))
            figures.append(Figure(f"refused, {name}", refused, 0.9))
    compared = comparisons(max(50, round(scale * COMPARISONS)), np.random.default_rng(next(roots)))
    figures += compared
    setting = (
        f"12 agents. A seat's noise and its own score have the correlation that is named (`sign`: "
        f"the score is the sign of such a number); a leak is how much the score rises with a skill "
        f"of one beta. Each cell {REPETITIONS} pools from seed {seed}, 20 of 5,000 games. Error: "
        "the squared error over that of the fit without. Slope: that of the true skills on the "
        "ratings, over that without. Refused: that scores are off their expectation, "
        f"p < {DOUBTED}. Comparisons: {COMPARISONS:,} of {BLOCKS} blocks whose score has the "
        f"correlation {LUCK**0.5:.2f} with the covariate before it is rounded to whole games."
    )
    columns = ("world", "coverage", "without", "saved", "error", "slope", "refused")
    return Part("Covariates", setting, figures, [Table("With and without", columns, rows)])


def fit(job: Job) -> list[Fitted]:
    """Every pool of a job, fitted with its covariate and without."""
    world, scores, games = (CELLS if job.kind == "kept" else LEAKS)[job.cell]
    return [_fitted(world, scores, games, np.random.default_rng(seed)) for seed in job.seeds]


def _fitted(world: World, scores: Scores, count: int, rng: np.random.Generator) -> Fitted:
    truth = world.truth(rng)
    games = replace(play(truth, count, rng, scores), blocks=())
    kept = expectation_kept(
        np.asarray(games.covariates, np.float64),
        np.asarray(games.agents),
        np.repeat(np.arange(count), games.sizes),
    )
    with_, without = Probit().fit(games), Probit().fit(replace(games, covariates=()))
    covered, errors, slopes = [], [], []
    for ratings in (with_, without):
        mean, covariance = ratings.contrasts(range(world.agents))
        off = mean - truth.overall
        covered.append(float((np.abs(off) <= INTERVAL * np.sqrt(np.diag(covariance))).mean()))
        errors.append(float(off @ off))
        slopes.append(float(mean @ truth.overall) / float(mean @ mean))
    return Fitted(
        *covered, with_.saved or 0.0, errors[0] / errors[1], slopes[0] / slopes[1], kept.p < DOUBTED
    )


def _promised(name: str, scores: Scores, of: Sequence[Fitted]) -> list[Figure]:
    covered = [each.covered for each in of]
    plain = float(np.mean([each.plain for each in of]))
    wide = plain > COVERAGE[1]
    note = "wider than promised, as the fit without is" if wide else ""
    found = [
        Figure(f"coverage, {name}", float(np.mean(covered)), COVERAGE[0],
               None if wide else COVERAGE[1], _error(covered), note),
        Figure(f"slope over that without, {name}", float(np.mean([each.slope for each in of])),
               0.9, 1.1, _error([each.slope for each in of])),
        Figure(f"refused, {name}", float(np.mean([each.refused for each in of])), None, 0.05),
    ]  # fmt: skip
    if scores.told:
        saved = [each.saved for each in of]
        found.append(Figure(f"variance saved, {name}", float(np.mean(saved)), 0.1, None,
                            _error(saved)))  # fmt: skip
    return found


def comparisons(times: int, rng: np.random.Generator) -> list[Figure]:
    """Adjusted scores of comparisons: blocks of two games whose luck the covariate tells."""
    edge = 0.15
    # The mean of what is simulated, by the probability of each result at a given luck.
    grid = rng.normal(size=400_000) * np.sqrt(LUCK)
    true = float(ndtr((grid + edge) / np.sqrt(1 - LUCK)).mean())
    inside, saved, scores = [], [], []
    for _ in range(times):
        luck = rng.normal(size=(BLOCKS, 2)) * np.sqrt(LUCK)
        won = luck + edge + rng.normal(size=(BLOCKS, 2)) * np.sqrt(1 - LUCK) > 0
        found = adjusted_mean(won.mean(axis=1).tolist(), luck.mean(axis=1).tolist())
        if found is None:
            continue
        inside.append(float(found.interval[0] <= true <= found.interval[1]))
        saved.append(found.saved)
        scores.append(found.score - true)
    return [
        Figure("coverage, adjusted score of a comparison", float(np.mean(inside)), 0.93, 0.97,
               _error(inside)),
        Figure("bias, adjusted score of a comparison", float(np.mean(scores)), -0.005, 0.005,
               _error(scores)),
        Figure("variance saved, adjusted score of a comparison", float(np.mean(saved)), 0.2, None,
               _error(saved)),
    ]  # fmt: skip


def _named(scores: Scores) -> str:
    said = [f"correlation {scores.told:g}"]
    said += ["sign"] if scores.kind == "sign" else []
    said += [f"{scores.missing:.0%} missing"] if scores.missing else []
    said += [f"leak {scores.leaks:g}"] if scores.leaks else []
    return ", ".join(said)


def _row(of: Sequence[Fitted]) -> tuple[float, ...]:
    columns = ("covered", "plain", "saved", "error", "slope", "refused")
    return tuple(round(float(np.mean([getattr(each, c) for each in of])), 3) for c in columns)


def _error(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
