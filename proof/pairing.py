"""How many games, and how many dollars, a matchmaker needs to put a pool in order.

Agents of known skill play one tournament per repetition under each matchmaker, with the live
ratings and the lag of a real run. What counts is the share of agents next to each other in truth
whose ratings are in the right order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from arena.core import (
    Matchmaker,
    MatchmakerFactory,
    Pairing,
    Part,
    RatedPlayer,
    Result,
    ScheduleSpec,
    Standings,
    awaited,
)
from arena.core.ratings import BETA, SIGMA
from arena.matchmakers.informative import informative
from arena.matchmakers.random import random_matchmaker
from arena.matchmakers.round_robin import round_robin
from arena.matchmakers.schedule import game_seed
from arena.ratings.online.live import draw_probability
from arena.ratings.sides import LiveSides
from proof.parallel import spread
from proof.report import Figure, Table
from proof.report import Part as Chapter
from proof.worlds import DUEL, MAFIA_50, World

Floats = NDArray[np.float64]

SHARE = 0.9
"""The share of neighbours in the right order that is waited for."""

LAG = 32
STEP = 20
"""Games between two looks at the order."""

TWO = replace(DUEL, name="two players", skill_sd=SIGMA)
MAFIA = replace(MAFIA_50, name="2v4", skill_sd=SIGMA)
"""Pools as wide as the ratings' prior: from agents that answer by lot to strong ones."""


class Quality:
    """TrueSkill's own matchmaking: an agent in turn, with those with whom a draw is likeliest.

    The quality of a match as in Herbrich, Minka and Graepel (2006): for teams with n players and
    variances s², sqrt(n beta²/c²)·exp(−gap²/2c²) with c² = n beta² + Σ s². The best of 30 lineups
    drawn by lot.
    """

    lag = LAG

    def __init__(self, **spec: Unpack[ScheduleSpec]) -> None:
        self._agents, self._players = spec["agents"], spec["num_players"]
        self._games, self._seed = spec["games"], spec["seed"]
        teams = [part.team for part in spec["casting"](0)]
        self._sign = np.array([1.0 if team == teams[0] else -1.0 for team in teams])

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        place = len(standings.scheduled)
        if place >= self._games or awaited(place, self.lag) > standings.settled:
            return ()
        rng = Random(f"quality {self._seed}/{place}")
        turn = self._agents[place % len(self._agents)]
        others = [agent for agent in self._agents if agent != turn]
        lineups = []
        for _ in range(30):
            lineup = [turn, *rng.sample(others, self._players - 1)]
            rng.shuffle(lineup)
            lineups.append(lineup)
        seats = np.array(lineups)
        mean = standings.mean - standings.mean.mean()
        noise = self._players * BETA**2
        variance = noise + np.diag(standings.covariance)[seats].sum(axis=1)
        gap = mean[seats] @ self._sign
        quality = np.sqrt(noise / variance) * np.exp(-(gap**2) / (2.0 * variance))
        chosen = tuple(lineups[int(np.argmax(quality))])
        return [Pairing(place, place, game_seed(self._seed, place), chosen)]


@dataclass(frozen=True, slots=True)
class Arm:
    """A matchmaker under test, for at most `games` games."""

    name: str
    factory: MatchmakerFactory
    games: int
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One tournament to be simulated."""

    world: World
    arm: Arm
    seed: tuple[int, ...]
    priced: bool = False


def run(task: Task) -> tuple[Floats, Floats]:
    """The share of neighbours in order and the dollars spent, after every STEP games. The same
    truth and the same prices for every arm with the same seed."""
    world, arm = task.world, task.arm
    rng = np.random.default_rng(task.seed)
    truth = world.truth(rng)
    price = 0.01 * 10.0 ** rng.uniform(-1.0, 1.0, world.agents)
    teams, roles = world.seat_teams.tolist(), [world.roles[r] for r in world.seat_roles]
    parts = tuple(Part(role, str(team)) for role, team in zip(roles, teams, strict=True))
    agents = tuple(range(world.agents))
    matchmaker: Matchmaker = arm.factory(
        agents=agents,
        num_players=len(parts),
        games=arm.games,
        seed=int(rng.integers(2**31)),
        options=dict(arm.options),
        casting=lambda _: parts,
    )
    order = np.argsort(truth.overall)
    state, scheduled, settled = LiveSides(), list[Pairing](), 0
    dollars = np.full(len(agents), np.nan)
    shares, spent = list[float](), list[float]()
    bill = 0.0
    while settled < arm.games:
        place, lag = len(scheduled), matchmaker.lag
        if place < arm.games and (lag is None or awaited(place, lag) <= settled):
            mean, covariance = state.skills(agents if lag is not None else ())
            known = Standings(agents, mean, covariance, dollars, settled, scheduled)
            scheduled += matchmaker.next(known, arm.games if lag is None else 1)
            continue
        pairing = scheduled[settled]
        result = played(truth, pairing, teams, rng)
        state.play(result.players, roles, draw_probability(settled, 0))
        settled += 1
        seated = list(pairing.agents)
        bill += float(price[seated].sum())
        if task.priced:
            dollars[seated] = price[seated]
        if settled % STEP == 0:
            mean, _ = state.skills(agents)
            shares.append(float((np.diff(mean[order]) > 0.0).mean()))
            spent.append(bill)
    return np.array(shares), np.array(spent)


def played(truth: Any, pairing: Pairing, teams: Sequence[int], rng: np.random.Generator) -> Result:
    """The result of a pairing between agents of known skill."""
    strengths = truth.strengths(np.array([pairing.agents]))[0]
    sizes = np.bincount(teams)
    performed = strengths + rng.normal(size=len(sizes)) * BETA * np.sqrt(sizes)
    rank = np.argsort(np.argsort(-performed)).tolist()
    return Result(
        pairing,
        tuple(RatedPlayer(a, t, rank[t]) for a, t in zip(pairing.agents, teams, strict=True)),
    )


def until(shares: Floats, cost: Floats, share: float) -> float:
    """What it costs until the mean of the repetitions' shares (m, steps) reaches `share`; cost
    likewise. Infinite if it does not. A running mean over seven steps takes the noise off."""
    mean = shares.mean(axis=0)
    width = min(7, len(mean))
    smooth = np.convolve(mean, np.ones(width) / width, "valid")
    reached = np.flatnonzero(smooth >= share)
    if not len(reached):
        return float("inf")
    return float(cost.mean(axis=0)[reached[0] + width // 2])


def ratio(
    slow: tuple[Floats, Floats], fast: tuple[Floats, Floats], share: float, seed: int
) -> tuple[float, float]:
    """How many times as much the slow one needs, and the standard error of that by bootstrap over
    the repetitions, which both arms share. A slow one that does not get there counts as needing
    what it was given, so that the ratio is the least it can be; a fast one makes it 0."""

    def once(rows: NDArray[np.int64]) -> float:
        slowly = until(slow[0][rows], slow[1][rows], share)
        quickly = until(fast[0][rows], fast[1][rows], share)
        return min(slowly, float(slow[1][rows].mean(axis=0)[-1])) / quickly

    n = len(slow[0])
    rng = np.random.default_rng((seed, 99))
    again = [once(rng.integers(0, n, n)) for _ in range(200)]
    return once(np.arange(n)), float(np.std(again))


def measure(*, seed: int = 1, scale: float = 1.0, processes: int = 2) -> Chapter:
    """Matchmakers beside each other in two-player and 2v4 games, and the term for dollars."""
    repetitions = max(2, round(60 * scale))
    length = min(1.0, max(0.05, scale * 2.5))

    def games(most: int) -> int:
        return max(STEP * 4, round(most * length / STEP) * STEP)

    arms = [
        Arm("random", random_matchmaker, games(4000)),
        Arm("round-robin", round_robin, games(4000)),
        Arm("quality", Quality, games(4000)),
        Arm("informative", informative, games(1200), (("lag", LAG),)),
    ]
    priced = [
        Arm("random", random_matchmaker, games(4000)),
        Arm("without", informative, games(1200), (("lag", LAG), ("dollars", False))),
        Arm("with", informative, games(1200), (("lag", LAG), ("dollars", True))),
    ]
    settings = [(TWO, arm, False) for arm in arms]
    settings += [(MAFIA, arm, False) for arm in arms]
    settings += [(TWO, arm, True) for arm in priced]
    tasks = [
        Task(world, arm, (seed, repetition), with_prices)
        for world, arm, with_prices in settings
        for repetition in range(repetitions)
    ]
    found = iter(spread(run, tasks, processes))
    curves = {
        (world.name, arm.name, with_prices): _stacked([next(found) for _ in range(repetitions)])
        for world, arm, with_prices in settings
    }
    share = SHARE if scale >= 0.4 else 0.6
    return Chapter(
        "pairing",
        f"{TWO.agents} agents with skills of standard deviation {SIGMA:.2f} mu (two betas, the "
        f"ratings' own prior), {repetitions} pools, the same for every matchmaker; two-player "
        "games in which the first seat wins 60 % between equals, and two Mafia against four "
        f"villagers at 50 %. Ratings are the live ones, {LAG} games run at once. "
        f"Games until {share:.0%} of neighbours in truth are in the right order, on average over "
        "the pools. Prices of agents differ by up to a hundred times, uniformly in their "
        f"logarithm. Seed {seed}.",
        [*_figures(curves, share, seed)],
        [_table(curves, share)],
    )


Curves = Mapping[tuple[str, str, bool], tuple[Floats, Floats]]


def _figures(curves: Curves, share: float, seed: int) -> list[Figure]:
    def games(world: World, name: str) -> tuple[Floats, Floats]:
        shares, _ = curves[world.name, name, False]
        steps = STEP * np.arange(1.0, shares.shape[1] + 1.0)
        return shares, np.tile(steps, (len(shares), 1))

    figures = []
    for world in (TWO, MAFIA):
        for name in ("random", "round-robin", "quality"):
            value, error = ratio(games(world, name), games(world, "informative"), share, seed)
            figures.append(
                Figure(
                    f"games that {name} needs for each of informative's, {world.name}",
                    value,
                    least=None if name == "quality" else 2.0,
                    error=error,
                )
            )
    for name in ("random", "without"):
        slow, fast = curves[TWO.name, name, True], curves[TWO.name, "with", True]
        value, error = ratio(slow, fast, share, seed)
        other = "random" if name == "random" else "informative without the term for dollars"
        figures.append(
            Figure(
                f"dollars that {other} needs for each of informative's, {TWO.name}",
                value,
                least=1.0,
                error=error,
            )
        )
    return figures


def _table(curves: Curves, share: float) -> Table:
    rows: list[list[str | float]] = []
    for (world, name, priced), (shares, spent) in curves.items():
        steps = np.tile(STEP * np.arange(1.0, shares.shape[1] + 1.0), (len(shares), 1))
        at = [min(games // STEP, shares.shape[1]) - 1 for games in (200, 400, 800, 1200)]
        rows.append(
            [
                world,
                f"{name} the dollars" if priced and name != "random" else name,
                until(shares, steps, share),
                round(until(shares, spent, share), 2) if priced else "",
                *(round(float(shares[:, k].mean()), 3) for k in at),
            ]
        )
    return Table(
        "Games, and dollars where agents have prices, until the order is right; inf: not reached",
        ["game", "matchmaker", f"games to {share:.0%}", "dollars", "200", "400", "800", "1,200"],
        rows,
    )


def _stacked(runs: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    return np.stack([shares for shares, _ in runs]), np.stack([spent for _, spent in runs])
