"""How fast rating systems and the informative matchmaker are, beside packages on the same games.

The games are six-player Secret Mafia with roles: two against four, every third game a surprise.
Where a package is too slow for all of the games it gets the first of them; figures are per game.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from arena.core import Games, Part, RatedPlayer, Standings
from arena.core.arrays import Floats
from arena.core.ratings import BETA, MU, SIGMA
from arena.matchmakers.informative import informative
from arena.ratings.online.fold import pool_after
from arena.ratings.openskill import OpenSkill
from arena.ratings.probit import Probit
from arena.ratings.sides import LiveSides
from arena.ratings.trueskill import TrueSkill
from arena.ratings.trueskill_package import load
from bench.games import mafia_games
from bench.measure import Row, median, ratios
from bench.ratings import by_package, cpu
from bench.workers import Workers

PART = "systems"
ROLES = ("Villager", "Mafia")
PAIRINGS = 100
FIELD = 300

Play = Sequence[RatedPlayer]


def with_roles(games: Games) -> Games:
    """The same games; the team of two is the Mafia."""
    return replace(games, roles=games.teams, role_names=ROLES)


def by_openskill(games: Sequence[Play], agents: int) -> Callable[[], None]:
    """Our update by the package openskill."""
    system = OpenSkill()
    ratings: dict[int, tuple[float, float]] = dict.fromkeys(range(agents), system.initial())
    system.rate(games[0], ratings)  # imports the package

    def play() -> None:
        for game in games:
            ratings.update(system.rate(game, ratings))

    return play


def by_sides(games: Sequence[Play], before: Sequence[Play]) -> Callable[[], None]:
    """The full-covariance update, of agents that have all played `before`."""
    state = LiveSides()
    for game in before:
        state.play(game, _roles(game), 0.001)

    def play() -> None:
        for game in games:
            state.play(game, _roles(game), 0.001)

    return play


def _roles(game: Play) -> list[str]:
    return [ROLES[player.team] for player in game]


def by_time(games: Sequence[Play]) -> Callable[[], None]:
    """TrueSkill Through Time, to its own convergence; agents do not change (gamma 0)."""
    from trueskillthroughtime import History

    lineups, results = [], []
    for game in games:
        teams = [[str(p.agent_id) for p in game if p.team == team] for team in (0, 1)]
        lineups.append(teams)
        results.append([int(any(p.team == team and not p.rank for p in game)) for team in (0, 1)])

    def fit() -> None:
        history = History(lineups, results, mu=0.0, sigma=SIGMA, beta=BETA, gamma=0.0)
        history.convergence(verbose=False)

    return fit


def rating(games: int, sample: int, field: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU a game, round by round, of each way."""
    rng = random.Random(1)
    columns = with_roles(mafia_games(games, rng, agents=100))
    hundred = [game for _, game in zip(range(sample), columns, strict=False)]
    few = list(mafia_games(sample, rng))
    many = list(mafia_games(sample, rng, agents=field))
    everybody = list(mafia_games(5 * field, rng, agents=field))
    work: dict[str, tuple[Callable[[], object], int]] = {
        "rebuild": (lambda: pool_after(columns, TrueSkill()), games),
        "probit": (lambda: Probit().fit(columns), games),
        "openskill": (by_openskill(hundred, 100), sample),
        "time": (by_time(hundred), sample),
        "package": (lambda: by_package(few), sample),
        "sides 12": (by_sides(few, few), sample),
        "openskill 12": (by_openskill(few, 12), sample),
        "package 300": (lambda: by_package(many, field), sample),
        "sides 300": (by_sides(many, everybody), sample),
    }
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, (run, played) in work.items():
            found[name].append(cpu(run, played))
    return found


def pairing(agents: int, pairings: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of CPU for the next pairings, round by round, of each way."""
    rng = random.Random(2)
    state = LiveSides()
    for game in mafia_games(5 * agents, rng, agents=agents):
        state.play(game, _roles(game), 0.001)
    mean, covariance = state.skills(range(agents))
    work: dict[str, Callable[[], object]] = {
        "informative, 2v4": lambda: _informative(mean, covariance, pairings, mafia=True),
        "informative, duels": lambda: _informative(mean, covariance, pairings, mafia=False),
        "quality, duels": lambda: _by_quality(mean, covariance, pairings),
    }
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, run in work.items():
            start = time.process_time()
            run()
            found[name].append(time.process_time() - start)
    return found


def _informative(
    mean: Floats,
    covariance: Floats,
    pairings: int,
    *,
    mafia: bool,
) -> None:
    agents = tuple(range(len(mean)))
    roles = [("Mafia", 0)] * 2 + [("Villager", 1)] * 4 if mafia else [("First", 0), ("Second", 1)]
    parts = [Part(role, str(team)) for role, team in roles]
    matchmaker = informative(
        agents=agents,
        num_players=len(parts),
        games=10_000,
        seed=1,
        options={"lag": pairings, "blocks": False},
        casting=lambda seed: parts,
    )
    standings = Standings(agents, mean, covariance, np.full(len(agents), np.nan))
    chosen = matchmaker.next(standings, pairings)
    if len(chosen) != pairings:
        raise RuntimeError(f"asked for {pairings} pairings, got {len(chosen)}")


def _by_quality(
    mean: Floats,
    covariance: Floats,
    pairings: int,
) -> None:
    """Each agent in turn meets the one with whom the package sees the best match."""
    package = load()
    ratings = [
        package.Rating(mu + MU, deviation)
        for mu, deviation in zip(mean, np.sqrt(np.diag(covariance)), strict=True)
    ]
    for turn in range(pairings):
        one = turn % len(ratings)
        max(
            (package.quality_1vs1(ratings[one], other), k)
            for k, other in enumerate(ratings)
            if k != one
        )


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """The refit, the live updates, and the next pairings."""
    games, sample = (500, 10) if toy else (100_000, 300)
    agents, pairings = (20, 5) if toy else (FIELD, PAIRINGS)
    worker = workers.of("systems")
    found = worker.run(rating, games=games, sample=sample, field=agents, rounds=1 if toy else 5)
    chosen = worker.run(pairing, agents=agents, pairings=pairings, rounds=1 if toy else 3)
    quality, ours = chosen["quality, duels"], chosen["informative, duels"]
    return [
        _against(found, f"rebuild of {games:,} games / openskill", "openskill", "rebuild"),
        _against(found, f"rebuild of {games:,} games / through time", "time", "rebuild"),
        _against(
            found, f"probit refit of {games:,} games, 100 agents / openskill", "openskill", "probit"
        ),
        _against(
            found, f"probit refit of {games:,} games, 100 agents / through time", "time", "probit"
        ),
        _against(found, "sides, one update, 12 agents / the package", "package", "sides 12"),
        _against(
            found, f"sides, one update, {agents} agents / the package", "package 300", "sides 300"
        ),
        _against(found, "openskill, one update / the package", "package", "openskill 12"),
        Row(
            PART,
            f"informative, next {pairings} duels of {agents} agents / best quality",
            ratios(quality, ours),
            numbers={"arena s": median(ours), "package s": median(quality)},
        ),
        Row(
            PART,
            f"informative, next {pairings} games 2v4 of {agents} agents",
            chosen["informative, 2v4"],
            unit="s",
        ),
    ]


def _against(found: dict[str, list[float]], what: str, theirs: str, ours: str) -> Row:
    return Row(
        PART,
        what,
        ratios(found[theirs], found[ours]),
        numbers={
            "arena µs/game": median(found[ours]),
            "other µs/game": median(found[theirs]),
        },
    )
