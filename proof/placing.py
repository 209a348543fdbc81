"""Whether a placement's interval covers where an agent stands, and a noise floor what copies differ
by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from arena.compare.placing import against
from arena.core import Games
from arena.core.ratings import BETA, MU
from arena.ratings.probit import Probit
from arena.stats.noise_floor import noise_floor
from proof.parallel import spread
from proof.report import Figure, Part, Table
from proof.worlds import DUEL, MAFIA_35, Integers, Truth, World

COVERAGE = (0.90, 0.97)
REPETITIONS, SLICE = 300, 15
PLACED = 100
COPIES, FURTHER = 4, 2
FLOOR_GAMES = 600


@dataclass(frozen=True, slots=True)
class Cell:
    """Agents that are placed after `games` of a pool, `off` beta from where pools lie; or copies of
    one agent that differ by `null` beta."""

    kind: Literal["place", "floor"]
    world: World
    games: int = FLOOR_GAMES
    off: float = 0.0
    null: float = 0.0


CELLS = (
    *(Cell("place", world, games) for world in (DUEL, MAFIA_35) for games in (200, 1_000)),
    Cell("place", DUEL, 1_000, off=1.5),
    *(Cell("floor", DUEL, null=null) for null in (0.0, 0.15, 0.4)),
)


@dataclass(frozen=True, slots=True)
class Job:
    """Repetitions of a cell, by its place among CELLS."""

    cell: int
    seeds: Sequence[np.random.SeedSequence]


@dataclass(frozen=True, slots=True)
class Stood:
    """Whether the truth was in the interval, or the difference of two further copies below the
    floor; half the interval's width, or the floor; and by how far the rating was off."""

    covered: bool
    width: float
    off: float


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Coverage in every cell; `scale` shrinks the repetitions."""
    jobs = []
    for cell, root in enumerate(np.random.SeedSequence(seed).spawn(len(CELLS))):
        seeds = root.spawn(max(2, round(scale * REPETITIONS)))
        jobs += [Job(cell, seeds[at : at + SLICE]) for at in range(0, len(seeds), SLICE)]
    found: dict[int, list[Stood]] = {}
    for job, stood in zip(jobs, spread(stand, jobs, processes), strict=True):
        found.setdefault(job.cell, []).extend(stood)
    figures, rows = [], []
    for at, of in found.items():
        cell = CELLS[at]
        covered = [each.covered for each in of]
        share = float(np.mean(covered))
        error = float(np.std(covered, ddof=1) / np.sqrt(len(covered)))
        width, off = (float(np.mean([getattr(one, c) for one in of])) for c in ("width", "off"))
        rows.append((_named(cell), round(share, 3), round(width, 2), round(off, 2)))
        if not cell.off:
            figures.append(Figure(f"coverage, {_named(cell)}", share, *COVERAGE, error))
    setting = (
        f"{REPETITIONS} pools for each cell, seed {seed}. Placed: an agent drawn like the 11 of "
        f"the pool plays {PLACED} games against them, after the pool's own; coverage is that of "
        "the 95 % interval of its distance to the pool's mean. One from far outside the pool is "
        f"drawn to it: that is in the table, and not promised. Floor: {COPIES} copies of an agent "
        f"make a noise floor after {FLOOR_GAMES} games with 6 others; coverage is that of the "
        f"difference of {FURTHER} further copies. Widths and errors are in units of mu (a beta is "
        f"{BETA:.2f})."
    )
    columns = ("cell", "coverage", "half-width, or floor", "mean error")
    return Part("Placing", setting, figures, [Table("Placements and noise floors", columns, rows)])


def stand(job: Job) -> list[Stood]:
    """Every pool of a job."""
    cell = CELLS[job.cell]
    of = _placed if cell.kind == "place" else _floor
    return [of(cell, np.random.default_rng(seed)) for seed in job.seeds]


def _placed(cell: Cell, rng: np.random.Generator) -> Stood:
    truth = cell.world.truth(rng)
    new = cell.world.agents - 1
    if cell.off:
        skills = truth.by_role.copy()
        skills[new] += cell.off * BETA
        truth = replace(truth, by_role=skills)
    seats = len(cell.world.seat_roles)
    pool = np.argsort(rng.random((cell.games, new)), axis=1)[:, :seats]
    games = np.argsort(rng.random((PLACED, new)), axis=1)[:, :seats]
    games[np.arange(PLACED), np.arange(PLACED) % seats] = new
    ratings = Probit().fit(_played(truth, np.concatenate([pool, games]), rng))
    rating, sigma = against(ratings, new, range(new))
    off = rating - MU - float(truth.overall[new] - truth.overall[:new].mean())
    half = 1.959963984540054 * sigma
    return Stood(abs(off) <= half, half, off)


def _floor(cell: Cell, rng: np.random.Generator) -> Stood:
    truth = cell.world.truth(rng)
    skills = truth.by_role.copy()
    copies = COPIES + FURTHER
    skills[:copies] = skills[0] + rng.normal(0.0, cell.null * BETA, (copies, 1))
    truth = replace(truth, by_role=skills - skills.mean(axis=0))
    games = _played(truth, truth.lineups(cell.games, rng), rng)
    mean, _ = Probit().fit(games).contrasts(range(cell.world.agents))
    found = noise_floor([mean[:COPIES].tolist()])
    assert found is not None
    apart = float(mean[COPIES] - mean[COPIES + 1])
    return Stood(abs(apart) <= found.width, found.width, apart)


def _played(truth: Truth, lineups: Integers, rng: np.random.Generator) -> Games:
    return replace(truth.play(lineups, rng), blocks=())


def _named(cell: Cell) -> str:
    if cell.kind == "floor":
        return f"noise floor of copies that differ by {cell.null:g} beta"
    far = f", {cell.off:g} beta above it" if cell.off else ""
    return f"placed after {cell.games:,} games of the pool{far}, {cell.world.name}"
