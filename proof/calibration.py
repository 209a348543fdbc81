"""Whether rating systems' predictions of the next games come true, in every world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena import registry
from arena.ratings.prequential import base_rates, comparisons, predicted
from arena.stats.calibration import Calibration, calibration
from proof.parallel import spread
from proof.ratings import PROBIT, loadable
from proof.report import Figure, Part, Table
from proof.worlds import WORLDS, World

GAMES = 400
POOLS = 40
PER_JOB = 4


@dataclass(frozen=True, slots=True)
class Job:
    """Pools of one world, each rated by all of the systems."""

    world: World
    seeds: Sequence[np.random.SeedSequence]
    systems: Sequence[str]


def play(job: Job) -> list[dict[str, Calibration]]:
    """Per pool the calibration of every system."""
    found = []
    for source in job.seeds:
        rng = np.random.default_rng(source)
        games = job.world.truth(rng).play(GAMES, rng)
        asked = comparisons(games)
        base = base_rates(asked)
        results = np.array([each.result for each in asked])
        weights = np.array([each.weight for each in asked])
        blocks = np.array([each.game for each in asked])
        found.append(
            {
                name: calibration(
                    predicted(registry.rating(name), games, asked), base, results, weights, blocks
                )
                for name in job.systems
            }
        )
    return found


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """Every system in every world; `scale` shrinks the number of pools."""
    names = [PROBIT, *(name for name in loadable() if name != PROBIT)]
    pools = max(2, round(scale * POOLS))
    jobs = []
    for world, root in zip(WORLDS, np.random.SeedSequence(seed).spawn(len(WORLDS)), strict=True):
        seeds = root.spawn(pools)
        jobs += [Job(world, seeds[at : at + PER_JOB], names) for at in range(0, pools, PER_JOB)]
    found: dict[str, list[dict[str, Calibration]]] = {}
    for job, scores in zip(jobs, spread(play, jobs, processes), strict=True):
        found.setdefault(job.world.name, []).extend(scores)
    figures, losses, gaps, called = [], [], [], []
    for world in WORLDS:
        own = [each[PROBIT] for each in found[world.name]]
        gain, error = _mean([each.difference for each in own])
        figures.append(
            Figure(f"{PROBIT}: log loss less the base rate's, {world.name}", gain, None, 0.0, error)
        )
        gap, error = _mean([each.whole.predicted - each.whole.observed for each in own])
        figures.append(
            Figure(f"{PROBIT}: favourites' chance less what they won, {world.name}", gap, -0.02,
                   0.02, error)
        )  # fmt: skip
        by_system = {name: [each[name] for each in found[world.name]] for name in names}
        losses.append(
            (world.name, *(f"{_mean([c.difference for c in by_system[n]])[0]:+.4f}" for n in names))
        )
        gaps.append(
            (
                world.name,
                *(
                    f"{_mean([c.whole.predicted - c.whole.observed for c in by_system[n]])[0]:+.3f}"
                    for n in names
                ),
            )
        )
        called.append(
            (
                world.name,
                *(f"{np.mean([c.overconfident for c in by_system[n]]):.2f}" for n in names),
            )
        )
    every = [each[PROBIT] for scores in found.values() for each in scores]
    for what, said in (
        ("overconfident", [each.overconfident for each in every]),
        ("timid", [each.timid for each in every]),
    ):
        share = float(np.mean(said))
        figures.append(
            Figure(f"{PROBIT}: called {what}, all worlds", share, most=0.05,
                   error=float(np.sqrt(share * (1.0 - share) / len(every))))
        )  # fmt: skip
    columns = ("world", *names)
    return Part(
        "Calibration",
        f"{pools} pools of {WORLDS[0].agents} agents in each world, {GAMES} games, seed {seed}. "
        "Every game from the tenth part on is predicted from the games before it: by a system that "
        "moves game by game from all of them, by one that is fitted from those before the last of "
        "ten points. The base rate knows the roles and no agent. A favourite is the side that was "
        "given one half or more.",
        figures,
        [
            Table("Log loss less the base rate's, nats a game", columns, losses),
            Table("Favourites' chance less what they won", columns, gaps),
            Table("Share of pools in which a system is called overconfident", columns, called),
        ],
    )


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(len(values)))
