"""Whether a matchmaker that follows the results keeps its promises where skills lie close together.

Pools narrower than any prior, and as wide: each matchmaker plays the same pools as `random`, and
what it finds is compared with what `random` finds there, at the same number of games and of the
question asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from arena.core import Games, Matchmaker, Pairing, Part, Result, Standings, awaited
from arena.core.ratings import BETA
from arena.matchmakers.gauntlet import gauntlet
from arena.matchmakers.informative import informative
from arena.matchmakers.random import random_matchmaker
from arena.matchmakers.swiss import swiss
from arena.ratings.online.live import draw_probability
from arena.ratings.probit import Probit
from arena.ratings.sides import LiveSides
from proof.pairing import Arm, played
from proof.parallel import spread
from proof.report import Figure, Table
from proof.report import Part as Chapter
from proof.worlds import DUEL, FREE_FOR_ALL, MAFIA_50, Truth, World

Floats = NDArray[np.float64]

WIDTHS = (0.35, 0.65, 1.0, 2.0)
"""The pools' skills have these standard deviations, in BETA."""

WORLDS = (
    replace(DUEL, name="two players"),
    replace(MAFIA_50, name="2v4"),
    replace(FREE_FOR_ALL, name="six alone"),
)
GAMES = 1000
GAMES_ALONE = 500
"""A game of six for themselves compares five times: fewer are enough."""

LOOKS = (200, 500, 1000)
"""Games after which intervals and errors are looked at; what is promised is their mean, so that a
cell is looked at once."""

POOLS = 8
STEP = 40
SAID = "boards and dry runs say it"
"""Beside a broken promise of a matchmaker: `arena.matchmakers.shortfalls`."""

TOP = 3
NEWCOMERS = 3
Z = 1.959963984540054

ARMS = (
    Arm("random", random_matchmaker, GAMES),
    Arm("order", informative, GAMES, (("goal", "order"),)),
    Arm("top", informative, GAMES, (("goal", f"top {TOP}"),)),
    Arm("swiss", swiss, GAMES),
    Arm("gauntlet", gauntlet, GAMES, (("newcomers", NEWCOMERS),)),
)
NAMES = {"order": "informative", "top": f"informative, goal top {TOP}"}

FEWER = 1.5
FROM = 0.65
"""From this width on informative is promised to need FEWER times fewer games than random."""


@dataclass(frozen=True, slots=True)
class Task:
    """One tournament to be simulated, of at most `games` games."""

    world: World
    arm: Arm
    seed: tuple[int, ...]
    games: int = GAMES


@dataclass(frozen=True, slots=True)
class Look:
    """What is known after some games: the share of live and of official intervals of a rating that
    hold the truth, the share of pairs that the official intervals tell apart, and the root mean
    square error of the official ratings in BETA, of all agents and of the newcomers."""

    live: float
    official: float
    apart: float
    error: float
    newcomers: float


@dataclass(frozen=True, slots=True)
class Found:
    """Of one tournament: its looks, and after every STEP games the share of pairs that the live
    intervals tell apart rightly: of all, and of the best TOP against the others."""

    looks: Mapping[int, Look]
    order: Floats
    top: Floats


def run(task: Task) -> Found:
    """Play one tournament. The same truth for every arm with the same seed."""
    world = task.world
    rng = np.random.default_rng(task.seed)
    truth = world.truth(rng)
    teams, roles = world.seat_teams.tolist(), [world.roles[r] for r in world.seat_roles]
    parts = tuple(Part(role, str(team)) for role, team in zip(roles, teams, strict=True))
    agents = tuple(range(world.agents))
    matchmaker: Matchmaker = task.arm.factory(
        agents=agents,
        num_players=len(parts),
        games=task.games,
        seed=int(rng.integers(2**31)),
        options=dict(task.arm.options),
        casting=lambda _: parts,
    )
    state, results = LiveSides(), list[Result]()
    scheduled: list[Pairing] = []
    looks, order, top = dict[int, Look](), list[float](), list[float]()
    unknown = np.zeros(len(agents)), np.eye(len(agents))
    while len(results) < task.games:
        place, lag = len(scheduled), matchmaker.lag
        if place < task.games and (lag is None or awaited(place, lag) <= len(results)):
            mean, covariance = unknown if lag is None else state.skills(agents)
            known = Standings(
                agents,
                mean,
                covariance,
                np.full(len(agents), np.nan),
                len(results),
                scheduled,
                results,
            )
            scheduled += matchmaker.next(known, task.games if lag is None else 1)
            continue
        result = played(truth, scheduled[len(results)], teams, rng)
        state.play(result.players, roles, draw_probability(len(results), 0))
        results.append(result)
        if len(results) % STEP == 0:
            right = _told_apart(*state.skills(agents), truth.overall)
            best = np.isin(agents, np.argsort(truth.overall)[-TOP:])
            order.append(float(right[np.triu_indices(len(agents), 1)].mean()))
            top.append(float(right[np.ix_(best, ~best)].mean()))
        if len(results) in LOOKS or len(results) == task.games:
            looks[len(results)] = _look(world, truth, state, results)
    return Found(looks, np.array(order), np.array(top))


def _look(world: World, truth: Truth, state: LiveSides, results: Sequence[Result]) -> Look:
    agents = tuple(range(world.agents))
    skill = truth.overall - truth.overall.mean()
    live_mean, live_covariance = state.skills(agents)
    centre = np.eye(len(agents)) - 1.0 / len(agents)
    live = _held(centre @ live_mean, centre @ live_covariance @ centre, skill)
    columns = Games.of([result.players for result in results])
    games = replace(columns, roles=np.tile(world.seat_roles, len(results)), role_names=world.roles)
    mean, covariance = Probit().fit(games).contrasts(agents)
    apart = _apart(mean, covariance)[np.triu_indices(len(agents), 1)]
    wrong = mean - skill
    return Look(
        live=live,
        official=_held(mean, covariance, skill),
        apart=float(apart.mean()),
        error=sqrt(float((wrong**2).mean())) / BETA,
        newcomers=sqrt(float((wrong[-NEWCOMERS:] ** 2).mean())) / BETA,
    )


def _held(mean: Floats, covariance: Floats, truth: Floats) -> float:
    return float((np.abs(mean - truth) < Z * np.sqrt(np.diag(covariance))).mean())


def _apart(mean: Floats, covariance: Floats) -> NDArray[np.bool_]:
    own = np.diag(covariance)
    deviation = np.sqrt(np.maximum(own[:, None] + own - 2.0 * covariance, 1e-12))
    apart: NDArray[np.bool_] = np.abs(mean[:, None] - mean) > Z * deviation
    return apart


def _told_apart(mean: Floats, covariance: Floats, truth: Floats) -> NDArray[np.bool_]:
    """(n, n): the pairs that are told apart, and in the right order."""
    right = (mean[:, None] - mean) * (truth[:, None] - truth) > 0.0
    told: NDArray[np.bool_] = _apart(mean, covariance) & right
    return told


def fewer(random: Floats, other: Floats, seed: int) -> tuple[float, float]:
    """How many times fewer games the other needs to get where random gets with all of its games,
    from shares (pools, steps) in the same pools, and the standard error by bootstrap over them. One
    that does not get there needs as many times more as random needs fewer to get where it gets."""

    def once(rows: NDArray[np.int64]) -> float:
        slow, fast = random[rows].mean(axis=0), other[rows].mean(axis=0)
        if fast[-1] >= slow[-1]:
            return len(slow) / max(1.0, reached(fast, float(slow[-1])))
        return max(1.0, reached(slow, float(fast[-1]))) / len(slow)

    n = len(random)
    rng = np.random.default_rng((seed, 98))
    again = [once(rng.integers(0, n, n)) for _ in range(200)]
    return once(np.arange(n)), float(np.std(again))


def reached(shares: Floats, share: float) -> float:
    """The step, counted from 1, after which a share is reached, between two on a straight line."""
    steps = np.flatnonzero(shares >= share)
    if not len(steps):
        return inf
    at = int(steps[0])
    before = float(shares[at - 1]) if at else 0.0
    risen = float(shares[at]) - before
    return at + ((share - before) / risen if risen else 0.0)


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Chapter:
    """Every matchmaker in every pool."""
    pools = max(2, round(POOLS * scale))
    settings = [
        (replace(world, skill_sd=width * BETA), width, arm)
        for world in WORLDS
        for width in WIDTHS
        for arm in ARMS
    ]
    tasks = [
        Task(world, replace(arm, games=games), (seed, number), games)
        for world, _, arm in settings
        for games in [_games(world, scale)]
        for number in range(pools)
    ]
    found = iter(spread(run, tasks, processes))
    cells = {
        (world.name, width, arm.name): [next(found) for _ in range(pools)]
        for world, width, arm in settings
    }
    return Chapter(
        "narrow",
        f"12 agents with skills of standard deviation {', '.join(f'{w:g}' for w in WIDTHS)} beta; "
        "games of two players (the first wins 60 % between equals), two Mafia against four "
        f"villagers, and six for themselves; {pools} pools, the same for every matchmaker, 32 "
        f"games at once. Looked at after {', '.join(map(str, LOOKS))} games, six for themselves "
        f"after {GAMES_ALONE} at most; figures are the mean of the looks. Error is the root mean "
        "square of the official ratings', told apart by the official 95 % intervals; what is worse "
        "than `random` by more than two standard errors over the pools is broken. Fewer games: "
        "until as many pairs are told apart rightly by the live intervals as with `random` after "
        f"all games, of all pairs for the goal `order`, of the best {TOP} and the others for "
        f"`top {TOP}`. `gauntlet` has {NEWCOMERS} newcomers, and its error is theirs. Seed {seed}.",
        [*_figures(cells, seed)],
        [_table(cells)],
    )


def _games(world: World, scale: float) -> int:
    if scale < 0.1:
        return 120
    return GAMES_ALONE if world.teams == FREE_FOR_ALL.teams else GAMES


Cells = Mapping[tuple[str, float, str], Sequence[Found]]
What = Callable[[Look], float]


def _figures(cells: Cells, seed: int) -> list[Figure]:
    figures = []
    for (world, width, arm), found in cells.items():
        where = f"{NAMES.get(arm, arm)}: {{}}, {world}, {width:g} beta"
        random = cells[world, width, "random"]
        value, error = _mean([_over_looks(one, lambda look: look.live) for one in found])
        figures.append(Figure(where.format("live coverage"), value, 0.9, error=error))
        if arm in ("order", "swiss"):
            value, error = _more(found, random, lambda look: look.apart)
            figures.append(
                Figure(
                    where.format("pairs told apart, less random's"),
                    value,
                    -2.0 * error,
                    error=error,
                )
            )
        if arm in ("order", "swiss", "gauntlet"):
            what: What = (
                (lambda look: look.newcomers) if arm == "gauntlet" else (lambda look: look.error)
            )
            value, error = _more(found, random, what)
            figures.append(
                Figure(where.format("error less random's"), value, most=2.0 * error, error=error)
            )
        if arm in NAMES and width >= FROM:
            slow, fast = (
                np.stack([one.order if arm == "order" else one.top for one in each])
                for each in (random, found)
            )
            value, error = fewer(slow, fast, seed)
            figures.append(
                Figure(where.format("times fewer games than random"), value, FEWER, error=error)
            )
    return [
        replace(figure, note=SAID)
        if figure.met is False and not figure.what.startswith("random")
        else figure
        for figure in figures
    ]


def _over_looks(found: Found, what: What) -> float:
    return float(np.mean([what(look) for look in found.looks.values()]))


def _more(found: Sequence[Found], random: Sequence[Found], what: What) -> tuple[float, float]:
    """The mean difference in the same pools, and its standard error."""
    return _mean(
        [
            _over_looks(one, what) - _over_looks(other, what)
            for one, other in zip(found, random, strict=True)
        ]
    )


def _mean(values: Sequence[float]) -> tuple[float, float]:
    return float(np.mean(values)), float(np.std(values, ddof=1)) / sqrt(len(values))


def _table(cells: Cells) -> Table:
    rows: list[list[str | float]] = []
    columns: tuple[What, ...] = (
        lambda look: look.live,
        lambda look: look.official,
        lambda look: look.apart,
        lambda look: look.error,
    )
    for (world, width, arm), found in cells.items():
        row: list[str | float] = [world, width, NAMES.get(arm, arm)]
        for what in columns:
            means = [np.mean([what(one.looks[at]) for one in found]) for at in found[0].looks]
            row.append(" ".join(f"{mean:.3f}" for mean in means))
        rows.append(row)
    return Table(
        f"After {', '.join(f'{games:,}' for games in LOOKS)} games",
        ["game", "beta", "matchmaker", "live coverage", "official", "told apart", "error, beta"],
        rows,
    )
