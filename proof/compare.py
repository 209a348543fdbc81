"""What a comparison promises: error rates at any stopping time, games needed, intervals that hold.

Block scores are drawn from their exact distribution in a two-player game. The first seat's
advantage is Phi(a) = 60 % among equals. A seed deals luck: of the noise that decides a game the
share `luck` is the seed's, favours the same seat in both games of a pair, and so cancels when the
seats are swapped. How much of it there is, is chosen so that a test of a fixed size needs 832
games in pairs instead of 1,040 in random seats, as measured in games of this kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from math import log, sqrt
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtrit

from arena.stats.evalue import EValue, wealth
from arena.stats.fixed import fixed_size, score
from arena.stats.gsprt import GSPRT, likelihood_ratio
from arena.stats.sequential import categories
from proof.report import Figure, Part, Table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

REPETITIONS = 2_000
SEAT = 0.6
EDGE = 0.55
PAIRED = 832

# A test that has not stopped by then counts as undecided, with all these blocks used.
HORIZON = 3_000
_CHUNK = 50
_TASKS = 8

# Tests whose error rate lies close below what they promise are repeated more often.
_OFTEN = {"gsprt": 10, "evalue": 1, "evalue, one side": 2, "fixed": 50}


@dataclass(frozen=True, slots=True)
class Duel:
    """A two-player game: A's expected score in swapped pairs, how often the first seat wins among
    equals, the seed's share of the noise, and the half-width of a draw in standard deviations."""

    name: str
    score: float = 0.5
    seat: float = SEAT
    luck: float = 0.0
    draw: float = 0.0


@cache
def block(duel: Duel) -> tuple[float, ...]:
    """The probabilities of the five scores of a swapped pair, by quadrature over the seed."""

    def at(edge: float) -> Floats:
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        seed = float(ndtri(duel.seat)) + sqrt(duel.luck) * nodes
        own = sqrt(1.0 - duel.luck)
        # As first the seat and the seed are with A, as second against: win, draw, loss of each.
        games = []
        for sign in (1.0, -1.0):
            win = ndtr((edge + sign * seed - duel.draw) / own)
            loss = ndtr((-edge - sign * seed - duel.draw) / own)
            games.append((loss, 1.0 - win - loss, win))
        found = np.zeros(5)
        for i, first in enumerate(games[0]):
            for j, second in enumerate(games[1]):
                found[i + j] += float((weights * first * second).sum() / weights.sum())
        return found

    edge = brentq(lambda edge: float(at(edge) @ categories(2)) - duel.score, -4.0, 4.0)
    p = np.maximum(at(edge), 0.0)
    return tuple((p / p.sum()).tolist())


def moments(duel: Duel) -> tuple[float, float]:
    """The mean and the variance of a block's score."""
    p, scores = np.array(block(duel)), categories(2)
    mean = float(p @ scores)
    return mean, float(p @ (scores - mean) ** 2)


@cache
def luck(games: int) -> float:
    """The seed's share of the noise with which a fixed size of `games` games is needed."""

    def excess(share: float) -> float:
        variance = moments(Duel("", EDGE, SEAT, share))[1]
        level, power = float(ndtri(0.975)), float(ndtri(0.9))
        blocks = (level + power) ** 2 * variance / (EDGE - 0.5) ** 2 + level**2 / 2
        return 2.0 * blocks - games

    return float(brentq(excess, 0.0, 0.95))


Rule = Callable[[Floats], tuple[NDArray[np.bool_], NDArray[np.bool_]]]
"""From counts (..., 5): where the rule stops for A, and where it stops otherwise."""


def gsprt(counts: Floats, test: GSPRT) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    ratio = likelihood_ratio(counts, test.h0, test.h1)
    return ratio >= test.bounds[1], ratio <= test.bounds[0]


def evalue(counts: Floats, test: EValue) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    if test.side == "greater":
        up = wealth(counts, test.h0) >= -log(test.alpha)
        return up, np.zeros_like(up)
    bound = log(2.0 / test.alpha)
    return (
        wealth(counts, test.h0) >= bound,
        wealth(counts[..., ::-1], 1.0 - test.h0) >= bound,
    )


def sample(counts: Floats) -> tuple[Floats, Floats, Floats]:
    """Number, mean and variance of the scores that were counted."""
    scores = categories(2)
    number = counts.sum(axis=-1)
    mean = counts @ scores / number
    return number, mean, counts @ scores**2 / number - mean**2


def peeking(counts: Floats, every: int = 10) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Stops when z passes 1.96, looking again after every 10 blocks: a rule not to use."""
    number, mean, variance = sample(counts)
    z = (mean - 0.5) / np.sqrt(np.maximum(variance, 1e-12) / number)
    looks = number % every == 0
    return looks & (z >= 1.96), looks & (z <= -1.96)


def mean_variance(counts: Floats, least: int = 4) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The GSPRT of 50 against 55 % by sample mean and variance, from 4 blocks on: what nobody
    should do with so few."""
    number, mean, variance = sample(counts)
    ratio = number * 0.05 * (2 * mean - 1.05) / (2 * np.maximum(variance, 1e-12))
    return (number >= least) & (ratio >= log(19)), (number >= least) & (ratio <= -log(19))


@dataclass(frozen=True, slots=True)
class Runs:
    """How repetitions ended: `won` for A, `lost` otherwise, neither: not stopped by the horizon;
    `blocks` used; `counts` (n, 5) of the scores at that moment."""

    won: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    blocks: Integers
    counts: Floats


def run(rule: Rule, p: Sequence[float], repetitions: int, horizon: int, seed: int) -> Runs:
    """Plays blocks with these probabilities, looking after every one, until the rule stops."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(p)[:-1]
    won, lost = np.zeros(repetitions, dtype=bool), np.zeros(repetitions, dtype=bool)
    blocks = np.zeros(repetitions, dtype=np.int64)
    counts = np.zeros((repetitions, 5))
    going = np.arange(repetitions)
    played = 0
    while len(going) and played < horizon:
        size = min(_CHUNK, horizon - played)
        places = np.searchsorted(steps, rng.random((len(going), size)))
        each = counts[going, None, :] + np.cumsum(np.eye(5)[places], axis=1)
        up, down = rule(each)
        hit = up | down
        stopped = hit.any(axis=1)
        at = np.where(stopped, hit.argmax(axis=1), size - 1)
        rows = np.arange(len(going))
        won[going] = stopped & up[rows, at]
        lost[going] = stopped & down[rows, at] & ~up[rows, at]
        blocks[going] += at + 1
        counts[going] = each[rows, at]
        going = going[~stopped]
        played += size
    return Runs(won, lost, blocks, counts)


def fixed(p: Sequence[float], blocks: int, repetitions: int, seed: int) -> Runs:
    """One look at a fixed number of blocks, by t."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(blocks, p, size=repetitions).astype(np.float64)
    _, mean, variance = sample(counts)
    variance = np.maximum(variance, 1e-12) * blocks / (blocks - 1)
    statistic = score(mean, variance, blocks)
    bound = -stdtrit(blocks - 1, 0.025)
    size = np.full(repetitions, blocks)
    return Runs(statistic > bound, statistic < -bound, size, counts)


Job = Callable[[int, int], Runs]
"""Repetitions and a seed to runs."""


def spread(job: Job, repetitions: int, seed: np.random.SeedSequence) -> list[partial[Runs]]:
    """The job in a fixed number of pieces, whatever the number of processes."""
    sizes = [len(piece) for piece in np.array_split(np.arange(repetitions), _TASKS)]
    seeds = [int(child.generate_state(1, np.uint64)[0]) for child in seed.spawn(_TASKS)]
    return [partial(job, size, own) for size, own in zip(sizes, seeds, strict=True) if size]


def _call(task: partial[Runs]) -> Runs:
    return task()


def gather(jobs: Sequence[tuple[Job, int]], seed: int, processes: int) -> list[Runs]:
    """The runs of every job, as often as it says, by `processes` processes."""
    seeds = np.random.SeedSequence(seed).spawn(len(jobs))
    tasks = [spread(job, times, own) for (job, times), own in zip(jobs, seeds, strict=True)]
    flat = [task for own in tasks for task in own]
    if processes > 1:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            done = iter(list(pool.map(_call, flat)))
    else:
        done = map(_call, flat)
    return [_joined([next(done) for _ in own]) for own in tasks]


def _joined(pieces: Sequence[Runs]) -> Runs:
    return Runs(
        np.concatenate([piece.won for piece in pieces]),
        np.concatenate([piece.lost for piece in pieces]),
        np.concatenate([piece.blocks for piece in pieces]),
        np.concatenate([piece.counts for piece in pieces]),
    )


def sequential(rule: Rule, p: Sequence[float], horizon: int, repetitions: int, seed: int) -> Runs:
    return run(rule, p, repetitions, horizon, seed)


def once(p: Sequence[float], blocks: int, repetitions: int, seed: int) -> Runs:
    return fixed(p, blocks, repetitions, seed)


def covered(runs: Runs, truth: float) -> float:
    """How often the confidence sequence at the stopping time holds the truth: where neither side
    has made 40 out of 1 by betting against it."""
    bound = log(40.0)
    held = (wealth(runs.counts, truth) < bound) & (
        wealth(runs.counts[:, ::-1], 1.0 - truth) < bound
    )
    return float(held.mean())


def naive(runs: Runs, truth: float) -> float:
    """The same of mean +- 1.96 standard errors, as if the size had been fixed."""
    number, mean, variance = sample(runs.counts)
    return float((np.abs(mean - truth) <= 1.96 * np.sqrt(variance / number)).mean())


def _error(share: float, repetitions: int) -> float:
    return sqrt(max(share * (1 - share), 1 / repetitions) / repetitions)


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Part:
    """The error rates, the games needed and the coverage of every test.

    `scale` shrinks the number of repetitions; the result depends on it and on the seed alone.
    """
    shared = luck(PAIRED)
    null, edge = Duel("50 %", 0.5, SEAT, shared), Duel("55 %", EDGE, SEAT, shared)
    nulls = (
        null,
        Duel("50 %, no luck in the seed", 0.5, SEAT, 0.0),
        Duel("50 %, three of seven drawn", 0.5, SEAT, shared, 0.43),
        Duel("50 %, the first seat wins 90 %", 0.5, 0.9, shared),
    )
    tests: dict[str, Rule | int] = {
        "gsprt": partial(gsprt, test=GSPRT()),
        "evalue": partial(evalue, test=EValue()),
        "evalue, one side": partial(evalue, test=EValue(side="greater")),
        "fixed": fixed_size(EDGE - 0.5, moments(edge)[1]) // 2,
        "gsprt 45 v 55": partial(gsprt, test=GSPRT(h0=0.45, h1=0.55)),
        "peeking": peeking,
        "mean and variance": mean_variance,
    }
    jobs: dict[tuple[str, Duel], tuple[Job, int]] = {}
    for name, test in tests.items():
        for duel in (*(nulls if name in _OFTEN else (null,)), edge):
            times = max(8, round(REPETITIONS * scale * _OFTEN.get(name, 1)))
            rule = (
                partial(once, block(duel), test)
                if isinstance(test, int)
                else partial(sequential, test, block(duel), HORIZON)
            )
            jobs[name, duel] = (rule, times)
    found = gather(list(jobs.values()), seed, processes)
    runs = dict(zip(jobs, found, strict=True))
    often = ", ".join(f"{round(REPETITIONS * scale * k)} of {name}" for name, k in _OFTEN.items())
    return Part(
        name="compare",
        setting=(
            f"Two players, the first seat wins {SEAT:.0%} among equals, swapped pairs on one seed "
            f"that deals {shared:.0%} of the noise (so that {PAIRED} games are needed at a fixed "
            f"size). Looked at after every pair, up to {HORIZON} pairs. Repetitions in each "
            f"setting: {often}, {round(REPETITIONS * scale)} of the others. Seed {seed}."
        ),
        figures=[
            *_wrong(runs, nulls),
            *_games(runs, edge),
            *(_held(name, runs) for name in ("gsprt", "evalue", "evalue, one side")),
        ],
        tables=[
            Table(
                "Stopping rules: where A and B are equal, and where A wins 55 %",
                ("rule", "findings at 50 %", "games at 55 %", "right at 55 %",
                 "mean ± 1.96 errors holds 55 %"),
                [_row(name, runs, null, edge) for name in tests],
            )
        ],
    )  # fmt: skip


def _wrong(runs: dict[tuple[str, Duel], Runs], nulls: Sequence[Duel]) -> list[Figure]:
    figures = []
    for name in _OFTEN:
        for duel in nulls:
            share = _false(name, runs[name, duel])
            error = _error(share, len(runs[name, duel].won))
            what = f"false positives, {name}, {duel.name}"
            figures.append(Figure(what, share, most=0.05, error=error))
    return figures


def _false(name: str, runs: Runs) -> float:
    """The share of findings where there is nothing to find: for a test of h0 against h1 only one
    in A's favour is one."""
    one_sided = name in ("gsprt", "evalue, one side", "mean and variance")
    return float((runs.won if one_sided else runs.won | runs.lost).mean())


def _games(runs: dict[tuple[str, Duel], Runs], edge: Duel) -> list[Figure]:
    figures = []
    for name, most in (("gsprt", 460.0), ("gsprt 45 v 55", None), ("evalue", None)):
        games = 2 * runs[name, edge].blocks
        error = float(games.std() / sqrt(len(games)))
        what = f"mean games at a true 55 %, {name}"
        figures.append(Figure(what, float(games.mean()), most=most, error=error))
    for name, least in (
        ("gsprt", 0.94),
        ("gsprt 45 v 55", 0.94),
        ("evalue", 0.95),
        ("fixed", 0.89),
    ):
        share = float(runs[name, edge].won.mean())
        error = _error(share, len(runs[name, edge].won))
        figures.append(Figure(f"right at a true 55 %, {name}", share, least=least, error=error))
    return figures


def _held(name: str, runs: dict[tuple[str, Duel], Runs]) -> Figure:
    """The worst coverage of the confidence sequence at the moment the test stopped."""
    shares = {
        duel: covered(found, duel.score) for (test, duel), found in runs.items() if test == name
    }
    worst = min(shares, key=lambda duel: shares[duel])
    share = shares[worst]
    return Figure(
        f"interval at the stopping time holds the truth, {name}",
        share,
        least=0.95,
        error=_error(share, len(runs[name, worst].won)),
        note=f"the worst of {len(shares)} settings: {worst.name}",
    )


def _row(
    name: str, runs: dict[tuple[str, Duel], Runs], null: Duel, edge: Duel
) -> tuple[str | float, ...]:
    found = runs[name, edge]
    never = name in ("peeking", "mean and variance")
    return (
        f"{name}: never do this" if never else name,
        "always decides" if name == "gsprt 45 v 55" else round(_false(name, runs[name, null]), 4),
        round(2 * float(found.blocks.mean())),
        round(float(found.won.mean()), 3),
        round(naive(found, EDGE), 3),
    )
