"""Whether a board notices that skills do not add up, and how its second column holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from arena.core import Games
from arena.core.ratings import BETA
from arena.ratings.additivity import additivity
from arena.ratings.pairwise import advantages
from arena.ratings.probit import Probit
from arena.stats.equilibrium import deviation_ratings
from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.worlds import DUEL, SKILL_SD, WORLDS, World

Floats = NDArray[np.float64]

GAMES = 600
POOLS = 200
FREE_FOR_ALL_POOLS = 40
NASH_POOLS = 60
DRAWS = 100
PER_JOB = 10
LEVEL = 0.05
CYCLE = 0.65 * BETA
"""What an agent of one of three types has over one of the type that it beats."""

CLONES = 6


@dataclass(frozen=True, slots=True)
class Job:
    """Pools of one world; `cycle` is that of three types on top of skills, in two-player games."""

    world: World
    games: int
    seeds: Sequence[np.random.SeedSequence]
    cycle: float = 0.0
    nash: bool = False
    clones: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Of one pool: the test's `p`; the share of deviation ratings `covered` by their 95 %
    intervals; and by how much the `rating` and the `nash` rating of the agents that were there
    before move, root mean square in units of beta, when clones of one of them come in."""

    p: float
    covered: float = float("nan")
    rating: float = float("nan")
    nash: float = float("nan")


def cycle_of(agents: int, size: float) -> Floats:
    """(n, n): agent k is of type k mod 3, and each type beats the next."""
    kind = np.arange(agents) % 3
    ahead = (kind[None, :] - kind[:, None]) % 3
    cycle: Floats = size * ((ahead == 1).astype(np.float64) - (ahead == 2))
    return cycle


def duels(matrix: Floats, count: int, rng: np.random.Generator) -> Games:
    """Two-player games, all pairs of agents equally likely, the first seat winning 60 % between
    equals; `matrix` (n, n) is the row's advantage over the column in units of mu."""
    n = len(matrix)
    one = rng.integers(n, size=count)
    other = (one + rng.integers(1, n, size=count)) % n
    first = DUEL.offsets[0] - DUEL.offsets[1]
    noise = rng.normal(size=count) * BETA * np.sqrt(2.0)
    lost = (matrix[one, other] + first + noise <= 0.0).astype(np.int64)
    return Games(
        sizes=np.full(count, 2),
        agents=np.stack([one, other], axis=1).ravel(),
        teams=np.tile([0, 1], count),
        ranks=np.stack([lost, 1 - lost], axis=1).ravel(),
        roles=np.tile([0, 1], count),
        role_names=DUEL.roles,
    )


def play(job: Job) -> list[Found]:
    """What is found in each of a job's pools."""
    found = []
    for source in job.seeds:
        rng = np.random.default_rng(source)
        truth = job.world.truth(rng)
        if not (job.cycle or job.nash):
            games = truth.play(job.games, rng)
            found.append(Found(_p(games)))
            continue
        skill = truth.overall
        n = len(skill)
        matrix = skill[:, None] - skill[None, :] + cycle_of(n, job.cycle)
        games = duels(matrix, job.games, rng)
        each = Found(_p(games))
        if job.nash:
            each = replace(each, covered=_covered(games, matrix, rng))
        if job.clones:
            copied = [*range(n), *[int(rng.integers(n))] * job.clones]
            more = matrix[np.ix_(copied, copied)]
            means = [each_of.mean(axis=1)[:n] for each_of in (matrix, more)]
            shifts = [mean - mean.mean() for mean in means]
            nash = deviation_ratings(more)[:n] - deviation_ratings(matrix)
            each = replace(
                each,
                rating=float(np.sqrt(np.mean((shifts[1] - shifts[0]) ** 2))) / BETA,
                nash=float(np.sqrt(np.mean(nash**2))) / BETA,
            )
        found.append(each)
    return found


def _p(games: Games) -> float:
    tested = additivity(games, Probit().fit(games))
    return 1.0 if tested is None else tested.p


def _covered(games: Games, matrix: Floats, rng: np.random.Generator) -> float:
    drawn = advantages(games).draws(DRAWS, int(rng.integers(2**31)))
    low, high = np.quantile([deviation_ratings(each) for each in drawn], [0.025, 0.975], axis=0)
    truth = deviation_ratings(matrix)
    # Where all draws are 0, so is the interval.
    return float(np.mean((low - 1e-6 <= truth) & (truth <= high + 1e-6)))


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """The test where skills add up, where they do not, and the deviation ratings of both."""

    def pools(count: int) -> int:
        return max(2, round(scale * count))

    narrow = replace(DUEL, name="two players, skills .35 beta wide", skill_sd=0.35 * BETA)
    wide = replace(DUEL, name="two players, skills 2 beta wide", skill_sd=2.0 * BETA)
    draws = replace(DUEL, name="two players, with draws", margin=0.5 * BETA)
    few = replace(DUEL, name="two players, 100 games")
    plans: list[tuple[str, Job, int]] = [
        (world.name, Job(world, GAMES, ()), FREE_FOR_ALL_POOLS if len(world.teams) > 2 else POOLS)
        for world in (*WORLDS, narrow, wide, draws)
    ]
    plans.append((few.name, Job(few, 100, ()), POOLS))
    cyclic = "three types in a cycle of .65 beta"
    plans.append((cyclic, Job(DUEL, GAMES, (), cycle=CYCLE, clones=CLONES), POOLS))
    plans.append((f"{cyclic}, 1,200 games", Job(DUEL, 1_200, (), cycle=CYCLE), POOLS))
    for name, cycle in (("skills alone", 0.0), (cyclic, CYCLE)):
        plans.append((f"nash, {name}", Job(DUEL, GAMES, (), cycle=cycle, nash=True), NASH_POOLS))
    jobs: list[Job] = []
    names: list[str] = []
    for (name, job, count), root in zip(
        plans, np.random.SeedSequence(seed).spawn(len(plans)), strict=True
    ):
        seeds = root.spawn(pools(count))
        for at in range(0, len(seeds), PER_JOB):
            jobs.append(replace(job, seeds=seeds[at : at + PER_JOB]))
            names.append(name)
    found: dict[str, list[Found]] = {}
    for name, results in zip(names, spread(play, jobs, processes), strict=True):
        found.setdefault(name, []).extend(results)
    figures, rows = [], []
    for name, job, _ in plans:
        if job.nash:
            covered = [each.covered for each in found[name]]
            error = float(np.std(covered, ddof=1) / np.sqrt(len(covered)))
            figures.append(Figure(f"coverage, {name}", float(np.mean(covered)), 0.90, None, error,
                                  "intervals end at 0, where many agents are"))  # fmt: skip
            continue
        said = np.array([each.p < LEVEL for each in found[name]])
        share = float(said.mean())
        error = float(np.sqrt(share * (1.0 - share) / len(said)))
        if job.cycle:
            least = 0.90 if job.games == GAMES else 0.99
            figures.append(Figure(f"found, {name}", share, least, None, error))
        else:
            figures.append(Figure(f"false alarms, {name}", share, None, LEVEL, error))
        rows.append((name, f"{job.games:,}", len(said), f"{share:.3f}"))
    moved = found[cyclic]
    figures.append(
        Figure("nash moves when clones come, in beta", float(np.mean([f.nash for f in moved])),
               None, 1e-3)
    )  # fmt: skip
    figures.append(
        Figure("the mean over opponents moves, in beta", float(np.mean([f.rating for f in moved])))
    )
    return Part(
        "Additivity",
        f"{DUEL.agents} agents with skills of standard deviation {SKILL_SD / BETA:.2f} beta, seed "
        f"{seed}; {GAMES} games unless it says otherwise. Said: the share of pools in which the "
        f"board says that skills do not add up (p < {LEVEL}). In a cycle each of three types has "
        f"an advantage of {CYCLE / BETA:.2f} beta over the next, on top of skills. Intervals of "
        f"deviation ratings are from {DRAWS} draws. {CLONES} clones of one agent are added.",
        figures,
        [Table("How often a board says that skills do not add up",
               ("world", "games", "pools", "said"), rows)],
    )  # fmt: skip
