"""What margins are worth to `probit-graded`, and whether it holds where they tell little, nothing,
or something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.core import Games, Ratings
from arena.core.ratings import BETA
from arena.ratings.graded import LEVELS, GradedProbit
from arena.ratings.probit import Probit
from arena.stats.groups import different
from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.worlds import DUEL, MAFIA_35, SKILL_SD, Floats, World

GAMES = 600
POOLS = 200
PER_JOB = 10
COVERAGE = (0.90, 0.97)
MOST_FALSE = 0.05
INTERVAL = 1.959963984540054
STYLE = 0.4
"""Standard deviation of the logarithm of how much an agent's games are won and lost by."""


@dataclass(frozen=True, slots=True)
class Told:
    """What margins tell in a world: `margins` makes them of the teams' leads (games,), the agents
    (games, seats) and random numbers; `gains` is how many times the information of winning alone
    must come of it, at least."""

    world: World
    margins: Callable[[Floats, Floats, np.random.Generator], Floats]
    gains: float
    luck: float = 0.0


def lead_itself(lead: Floats, agents: Floats, rng: np.random.Generator) -> Floats:
    """In another unit, which is no matter: points that grow the faster the more there are."""
    return np.sinh(lead / BETA)


def lead_and_noise(lead: Floats, agents: Floats, rng: np.random.Generator) -> Floats:
    """As much chance of its own as the lead has."""
    return lead + np.std(lead) * rng.normal(size=len(lead))


def nothing(lead: Floats, agents: Floats, rng: np.random.Generator) -> Floats:
    """Drawn by lot."""
    return rng.normal(size=len(lead))


def style(lead: Floats, agents: Floats, rng: np.random.Generator) -> Floats:
    """Some agents win by much and lose by much, whatever their skill."""
    own = np.exp(rng.normal(0.0, STYLE, int(agents.max()) + 1))
    return lead * own[agents.astype(np.int64)].mean(axis=1)


WORLDS: Mapping[str, Told] = {
    "two players, the margin is the lead": Told(DUEL, lead_itself, 1.25),
    "2v4, the margin is the lead": Told(MAFIA_35, lead_itself, 1.25),
    "two players, with draws": Told(replace(DUEL, margin=0.5 * BETA), lead_itself, 1.1),
    "two players, pairs on one seed": Told(DUEL, lead_itself, 1.25, luck=0.27),
    "two players, as much noise as lead": Told(DUEL, lead_and_noise, 1.0),
    "two players, margins by lot": Told(DUEL, nothing, 0.97),
    "two players, agents of different style": Told(DUEL, style, 1.0),
}


@dataclass(frozen=True, slots=True)
class Job:
    """Pools of one of WORLDS, of `equal` agents where nothing is to be found."""

    world: str
    equal: bool
    seeds: Sequence[np.random.SeedSequence]


@dataclass(frozen=True, slots=True)
class Score:
    """Of one pool, by `probit` and by `probit-graded`: the mean squared error in beta², the share
    of intervals with the truth in them, and whether two agents were told apart."""

    error: tuple[float, float]
    covered: tuple[float, float]
    found: tuple[float, float]


def play(job: Job) -> list[Score]:
    """The scores of a job's pools."""
    told = WORLDS[job.world]
    world = replace(told.world, skill_sd=0.0, role_sd=0.0) if job.equal else told.world
    found = []
    for source in job.seeds:
        rng = np.random.default_rng(source)
        truth = world.truth(rng)
        times = 2 if told.luck else 1
        lineups = np.repeat(truth.lineups(GAMES // times, rng), times, axis=0)
        games = _with_margins(truth.play(lineups, rng, told.luck, times), told, rng)
        skill = truth.overall - truth.overall.mean()
        each = [_scored(system.fit(games), skill) for system in (Probit(), GradedProbit())]
        error, covered, apart = zip(*each, strict=True)
        found.append(Score(error, covered, apart))
    return found


def _with_margins(games: Games, told: Told, rng: np.random.Generator) -> Games:
    """The games with these margins between the teams, half to each, who won being as it was."""
    size = int(games.sizes[0])
    agents, teams, scores = (
        np.asarray(of, dtype=np.float64).reshape(-1, size)
        for of in (games.agents, games.teams, games.scores)
    )
    first = teams[0] == teams[0, 0]
    lead = scores[:, first][:, 0] - scores[:, ~first][:, 0]
    margin = np.sign(lead) * np.abs(told.margins(lead, agents, rng))
    return replace(games, scores=np.where(first, margin[:, None], -margin[:, None]).ravel() / 2.0)


def _scored(ratings: Ratings, skill: Floats) -> tuple[float, float, float]:
    mean, covariance = ratings.contrasts(range(len(skill)))
    off = mean - skill
    covered = np.abs(off) <= INTERVAL * np.sqrt(np.diag(covariance))
    return (
        float(np.mean((off / BETA) ** 2)),
        float(covered.mean()),
        float(different(mean, covariance).any()),
    )


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Every world; `scale` shrinks the number of pools."""
    pools = max(2, round(scale * POOLS))
    jobs: list[Job] = []
    roots = iter(np.random.SeedSequence(seed).spawn(2 * len(WORLDS)))
    for name in WORLDS:
        for equal in (False, True):
            seeds = next(roots).spawn(pools)
            jobs += [Job(name, equal, seeds[at : at + PER_JOB]) for at in range(0, pools, PER_JOB)]
    found: dict[tuple[str, bool], list[Score]] = {}
    for job, scores in zip(jobs, spread(play, jobs, processes), strict=True):
        found.setdefault((job.world, job.equal), []).extend(scores)
    figures, rows = [], []
    for name, told in WORLDS.items():
        skilled, equal = found[name, False], found[name, True]
        errors = np.array([score.error for score in skilled])
        plain, graded = errors.mean(axis=0)
        gain = plain / graded
        # Of a ratio of means over the same pools.
        uncertain = float(np.std(errors[:, 0] - gain * errors[:, 1], ddof=1))
        uncertain /= graded * np.sqrt(pools)
        covered = np.array([score.covered for score in skilled])
        false = np.array([score.found[1] for score in equal])
        figures += [
            Figure(f"information over that of winning alone, {name}", gain, told.gains, None,
                   uncertain),
            Figure(f"coverage, {name}", float(covered[:, 1].mean()), *COVERAGE,
                   _error(covered[:, 1])),
            Figure(f"equal agents told apart, {name}", float(false.mean()), None, MOST_FALSE,
                   _error(false)),
        ]  # fmt: skip
        rows.append(
            (name, *(f"{np.sqrt(of):.3f}" for of in (plain, graded)),
             *(f"{of:.3f}" for of in covered.mean(axis=0)))
        )  # fmt: skip
    return Part(
        "Graded",
        f"{pools} pools of {DUEL.agents} agents with skills of standard deviation "
        f"{SKILL_SD / BETA:.2f} beta in each world, {GAMES} games, seed {seed}, and as many of "
        f"equal agents. probit-graded cuts wins into {LEVELS} levels by their margin. Information "
        "is the mean squared error of probit over that of probit-graded: as many times more games "
        "would do without margins. With as much noise as lead half of a margin's variance is its "
        f"own; of different style, agents win and lose by exp(N(0, {STYLE}²)) times as much.",
        figures,
        [
            Table(
                "Root mean squared error in beta, and coverage",
                ("world", "probit", "probit-graded", "coverage, probit", "probit-graded"),
                rows,
            )
        ],
    )


def _error(values: Floats) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
