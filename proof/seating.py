"""How many games a comparison needs under each way of seating A and B.

The difference of skill is the one that wins 55 % of single games between two players with no
advantage. In each seating the unit is a block, and its mean has an effect and a variance, from
which the size of a two-sided 5 % test with 90 % power follows; the power is then measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from arena.core.ratings import BETA
from arena.stats.fixed import fixed_size
from arena.stats.sequential import categories
from proof.compare import EDGE, PAIRED, SEAT, Duel, block, luck
from proof.report import Figure, Part, Table
from proof.worlds import MAFIA_35, MAFIA_50, MAFIA_65, Truth, World

Floats = NDArray[np.float64]

POOLS, LINEUPS, REPETITIONS = 400, 2_000, 4_000
_TASKS = 8

# The strength with which a single game between two players is won 55 % of the time.
DIFFERENCE = float(ndtri(EDGE)) * sqrt(2.0) * BETA


@dataclass(frozen=True, slots=True)
class Blocks:
    """The scores that a block of `games` games can have, and their probabilities; an effect is a
    mean that differs from 0."""

    games: int
    scores: Floats
    probabilities: Floats

    @property
    def effect(self) -> float:
        return float(self.probabilities @ self.scores)

    @property
    def variance(self) -> float:
        return float(self.probabilities @ (self.scores - self.effect) ** 2)

    @property
    def needed(self) -> int:
        """The games of a two-sided 5 % test with 90 % power."""
        return fixed_size(self.effect, self.variance, games=self.games)


def power(blocks: Blocks, repetitions: int, seed: int) -> float:
    """How often the t-test of the needed size finds the effect."""
    rng = np.random.default_rng(seed)
    size = blocks.needed // blocks.games
    counts = rng.multinomial(size, blocks.probabilities, size=repetitions)
    mean = counts @ blocks.scores / size
    variance = (counts @ blocks.scores**2 / size - mean**2) * size / (size - 1)
    return float((mean / np.sqrt(variance / size) > -stdtrit(size - 1, 0.025)).mean())


def single() -> Blocks:
    """Two players, one game, the seats by lot."""
    return Blocks(1, np.array([-0.5, 0.5]), np.array([1 - EDGE, EDGE]))


def mirrored(seat: float, shared: float) -> Blocks:
    """Two players, two games on one seed with the seats swapped; the seed deals the share `shared`
    of the noise."""
    p = np.array(block(Duel("", EDGE, seat, shared)))
    return Blocks(2, categories(2) - 0.5, p)


def pool(world: World, rng: np.random.Generator, difference: float) -> Truth:
    """A pool in which agents 0 and 1 differ by `difference`, around its mean."""
    truth = world.truth(rng)
    by_role = truth.by_role.copy()
    by_role[0], by_role[1] = difference / 2, -difference / 2
    return replace(truth, by_role=by_role)


def random_chances(truth: Truth, games: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """For A and for B, (first team, second team) x (loss, win): how often an agent, at a seat by
    lot among others of the pool, is on each team and wins there. Both in the same lineups: that
    makes their difference precise."""
    others = np.arange(2, len(truth.by_role))
    seats = truth.world.seat_teams
    lineups = others[np.argsort(rng.random((games, len(others))), axis=1)[:, : len(seats)]]
    own = rng.integers(len(seats), size=games)
    found = []
    for agent in (0, 1):
        lineups[np.arange(games), own] = agent
        first = truth.probability(lineups)
        teams = [(seats[own] == 0, first), (seats[own] == 1, 1 - first)]
        found.append(np.array([[((1 - won) * on).mean(), (won * on).mean()] for on, won in teams]))
    return found[0], found[1]


def random_seats(first: Floats, second: Floats) -> Blocks:
    """A in one game and B in another, at seats by lot: half the difference of their results, each
    less what is expected on that team."""
    base = (first + second)[:, 1] / (first + second).sum(axis=1)
    scores, chances = [], []
    for team in range(2):
        for result in range(2):
            for other in range(2):
                for opposed in range(2):
                    scores.append(((result - base[team]) - (opposed - base[other])) / 2)
                    chances.append(first[team, result] * second[other, opposed])
    p = np.array(chances)
    return Blocks(2, np.array(scores), p / p.sum())


def swapped_chances(truth: Truth, games: int, rng: np.random.Generator, *, clones: bool) -> Floats:
    """(3,): how often A wins none, one or both of two games on one seed with the places swapped:
    as clones in all seats of a team, or in one seat of each with a field that stays."""
    seats = truth.world.seat_teams
    if clones:
        lineups = seats[None, :]
        after = 1 - lineups
    else:
        field = np.argsort(rng.random((games, len(truth.by_role) - 2)), axis=1)
        lineups = field[:, : len(seats)] + 2
        ours = rng.choice(np.flatnonzero(seats == 0), size=games)
        theirs = rng.choice(np.flatnonzero(seats == 1), size=games)
        rows = np.arange(games)
        after = lineups.copy()
        lineups[rows, ours], lineups[rows, theirs] = 0, 1
        after[rows, ours], after[rows, theirs] = 1, 0
    won, back = truth.probability(lineups), 1 - truth.probability(after)
    both, none = won * back, (1 - won) * (1 - back)
    return np.array([none.mean(), 1 - both.mean() - none.mean(), both.mean()])


def swapped(p: Floats) -> Blocks:
    return Blocks(2, np.array([-0.5, 0.0, 0.5]), p)


@dataclass(frozen=True, slots=True)
class Chances:
    """What a number of pools say of each seating: means over pools."""

    first: Floats
    second: Floats
    opposite: Floats
    clones: Floats


def chances(world: World, difference: float, pools: int, lineups: int, seed: int) -> Chances:
    """Averages over so many pools, and so many lineups of each."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(pools):
        truth = pool(world, rng, difference)
        found.append(
            (
                *random_chances(truth, lineups, rng),
                swapped_chances(truth, lineups, rng, clones=False),
                swapped_chances(truth, 1, rng, clones=True),
            )
        )
    return Chances(*(np.mean(kind, axis=0) for kind in zip(*found, strict=True)))


def _task(task: partial[Chances]) -> Chances:
    return task()


def average(
    worlds: Sequence[tuple[World, float]], pools: int, seed: int, processes: int
) -> list[Chances]:
    """The chances in each world at each difference, in a fixed number of pieces."""
    tasks = []
    for (world, difference), own in zip(
        worlds, np.random.SeedSequence(seed).spawn(len(worlds)), strict=True
    ):
        for child in own.spawn(_TASKS):
            state = int(child.generate_state(1, np.uint64)[0])
            each = -(-pools // _TASKS)
            tasks.append(partial(chances, world, difference, each, LINEUPS, state))
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
            done = list(executor.map(_task, tasks))
    else:
        done = [_task(task) for task in tasks]
    return [_mean(done[at : at + _TASKS]) for at in range(0, len(done), _TASKS)]


def _mean(pieces: Sequence[Chances]) -> Chances:
    return Chances(
        *(
            np.mean([getattr(piece, name) for piece in pieces], axis=0)
            for name in ("first", "second", "opposite", "clones")
        )
    )


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """The games needed under each seating, in two-player and in 2v4 games.

    `scale` shrinks the number of pools and of repetitions; the result depends on it and on the
    seed alone.
    """
    pools, repetitions = max(_TASKS, round(POOLS * scale)), max(50, round(REPETITIONS * scale))
    # The same edge in a game of six seats: what one seat for another changes 50 to 55 %.
    stronger = DIFFERENCE * sqrt(3.0)
    worlds = [(world, DIFFERENCE) for world in (MAFIA_35, MAFIA_50, MAFIA_65)]
    equal = replace(MAFIA_35, name=f"{MAFIA_35.name}, the others equal", skill_sd=0.0)
    louder = replace(MAFIA_35, name=f"{MAFIA_35.name}, 55 % by one seat of six")
    worlds += [(equal, DIFFERENCE), (louder, stronger)]
    found = average(worlds, pools, seed, processes)
    names = [world.name for world, _ in worlds]
    two = {
        "random seats": single(),
        "mirrored": mirrored(SEAT, luck(PAIRED)),
        "mirrored, more luck in the seed": mirrored(SEAT, luck(616)),
        "mirrored, no luck in the seed": mirrored(SEAT, 0.0),
    }
    tables, figures = [], []
    rows: list[tuple[str | float, ...]] = []
    seeds = iter(range(seed, seed + 1000))

    def row(game: str, seating: str, blocks: Blocks, random: Blocks) -> float:
        fewer = random.needed / blocks.needed
        measured = power(blocks, repetitions, next(seeds))
        # A block's mean result on the scale on which a game between equals is 50 %.
        shown = f"{0.5 + blocks.effect:.1%}"
        rows.append((game, seating, shown, blocks.needed, round(fewer, 2), round(measured, 3)))
        return fewer

    ratios = {
        name: row("two players", name, blocks, two["random seats"]) for name, blocks in two.items()
    }
    for name, means in zip(names, found, strict=True):
        random = random_seats(means.first, means.second)
        for seating, blocks in (
            ("random pool", random),
            ("opposite", swapped(means.opposite)),
            ("clones", swapped(means.clones)),
        ):
            ratios[f"{seating}, {name}"] = row(name, seating, blocks, random)
    figures.append(
        Figure(
            "games, random seats / mirrored, two players",
            ratios["mirrored"],
            least=1.2,
            note="what swapping gains is the seed's luck; without any it is the seat's advantage",
        )
    )
    for seating, least in (("clones", 25.0), ("opposite", 3.5)):
        for name in names:
            what = f"games, random pool / {seating}, {name}"
            figures.append(Figure(what, ratios[f"{seating}, {name}"], least=least))
    weakest = min(float(values[-1]) for values in rows)
    figures.append(
        Figure(
            "power at the number of games stated, the least of all rows",
            weakest,
            least=0.88,
            error=sqrt(0.09 / repetitions),
        )
    )
    tables.append(
        Table(
            "Games needed to find the difference (two-sided 5 % test, 90 % power)",
            ("game", "seating", "A's mean result", "games", "fewer than random", "power"),
            rows,
        )
    )
    return Part(
        name="seating",
        setting=(
            f"A and B differ by {DIFFERENCE / BETA:.3f} beta, which wins 55 % of single games "
            f"between two players. Pools of {MAFIA_35.agents} agents with known skills fill the "
            f"other seats: {_TASKS * -(-pools // _TASKS)} pools with {LINEUPS} lineups each; "
            f"{repetitions} repetitions for each power. In random seats A and B sit in different "
            "games, and results are compared with what is expected on that team. In pairs on one "
            f"seed the two-player seed deals {luck(PAIRED):.0%} of the noise ({luck(616):.0%} with "
            f"more luck) and the first seat wins {SEAT:.0%}; in 2v4 games the seed deals none. "
            f"Seed {seed}."
        ),
        figures=figures,
        tables=tables,
    )
