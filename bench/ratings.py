"""How fast ratings are rebuilt, beside the `trueskill` package; and the leaderboard, beside a scan.

The games are six-player Secret Mafia: two against four, every third game a surprise.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from arena.core import RatedPlayer
from arena.ratings.online.fold import fold, pool_after
from arena.ratings.online.live import draw_probability
from arena.ratings.trueskill import TrueSkill
from arena.ratings.trueskill_package import load
from bench import leaderboard, rebuild
from bench.games import AGENTS, free_for_alls, mafia_games
from bench.measure import Row, median, ratios
from bench.workers import Workers

PART = "ratings"


def by_package(games: Sequence[Sequence[RatedPlayer]], agents: int = AGENTS) -> None:
    """What the package costs: `rate` at its default settings, one game after another."""
    package = load().TrueSkill()
    ratings = {agent: package.create_rating() for agent in range(agents)}
    for game in games:
        teams: dict[int, list[RatedPlayer]] = {}
        for player in game:
            teams.setdefault(player.team, []).append(player)
        groups = [tuple(ratings[player.agent_id] for player in team) for team in teams.values()]
        rated = package.rate(groups, ranks=[team[0].rank for team in teams.values()])
        for team, group in zip(teams.values(), rated, strict=True):
            for player, rating in zip(team, group, strict=True):
                ratings[player.agent_id] = rating


def by_update(games: Sequence[Sequence[RatedPlayer]]) -> None:
    """The live path: `TrueSkill.rate`, one game after another."""
    system = TrueSkill()
    ratings: dict[int, tuple[float, float]] = dict.fromkeys(range(AGENTS), system.initial())
    for number, game in enumerate(games):
        ratings.update(system.rate(game, ratings, draw_probability(number, 0)))


def cpu(work: Callable[[], object], games: int) -> float:
    """Microseconds of CPU a game."""
    start = time.process_time()
    work()
    return (time.process_time() - start) / games * 1e6


def rebuilding(games: int, sample: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU a game, round by round, of each way."""
    rng = random.Random(1)
    columns = mafia_games(games, rng)
    some = mafia_games(games // 5, rng)
    teams = list(mafia_games(sample, rng))
    everyone = free_for_alls(sample // 5, rng)
    work: dict[str, tuple[Callable[[], object], int]] = {
        "package": (lambda: by_package(teams), len(teams)),
        "rebuild": (lambda: pool_after(columns, TrueSkill()), games),
        "steps": (lambda: fold(some, TrueSkill()), len(some)),
        "update": (lambda: by_update(teams), len(teams)),
        "package, free for all": (lambda: by_package(everyone), len(everyone)),
        "update, free for all": (lambda: by_update(everyone), len(everyone)),
    }
    found: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, (run, count) in work.items():
            found[name].append(cpu(run, count))
    return found


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """The rebuild, one update, the rebuild of a database, and the leaderboard."""
    games = 500 if toy else 1_000_000
    stored = 500 if toy else 100_000
    worker = workers.of("ratings")
    found = worker.run(rebuilding, games=games, sample=20 if toy else 500, rounds=1 if toy else 9)
    package = {"package µs/game": median(found["package"])}
    alone = "package, free for all", "update, free for all"
    rows = [
        Row(
            PART,
            f"rebuild of {games:,} games / the trueskill package",
            ratios(found["package"], found["rebuild"]),
            target=150.0,
            numbers={"arena µs/game": median(found["rebuild"]), **package},
        ),
        Row(
            PART,
            f"rebuild of {games // 5:,} games, every step kept / the package, which keeps none",
            ratios(found["package"], found["steps"]),
            numbers={"arena µs/game": median(found["steps"]), **package},
        ),
        Row(
            PART,
            "one update, two against four / the package",
            ratios(found["package"], found["update"]),
            numbers={"arena µs/game": median(found["update"]), **package},
        ),
        Row(
            PART,
            "one update, six for themselves / the package",
            ratios(found[alone[0]], found[alone[1]]),
            numbers={
                "arena µs/game": median(found[alone[1]]),
                "package µs/game": median(found[alone[0]]),
            },
        ),
    ]
    rows += rebuild.measure(worker, workers.of("rebuild"), games=stored, rounds=1 if toy else 3)
    return [*rows, *leaderboard.measure(worker, games=stored, rounds=1 if toy else 5)]
