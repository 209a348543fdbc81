"""How fast ratings are rebuilt, beside the `trueskill` package; and the leaderboard, beside a scan.

The games are six-player Secret Mafia: two against four, every third game a surprise.
"""

from __future__ import annotations

import random
import time
from array import array
from collections.abc import Callable, Sequence

from arena.core import RatedPlayer
from arena.ratings.fold import draw_probability, fold
from arena.ratings.games import Games
from arena.ratings.package import load
from arena.ratings.trueskill import TrueSkill
from bench import leaderboard
from bench.measure import Row, median, ratios
from bench.workers import Workers

PART = "ratings"
AGENTS = 12


def mafia_games(count: int, rng: random.Random, agents: int = AGENTS) -> Games:
    """`count` games of two against four between agents 0, 1, ...; every game is equally likely to
    seat any of them."""
    seats: list[int] = []
    teams: list[int] = []
    ranks: list[int] = []
    for _ in range(count):
        mafia = rng.sample(range(6), 2)
        two_win = rng.random() < 0.65
        seats += rng.sample(range(agents), 6)
        teams += [int(seat in mafia) for seat in range(6)]
        ranks += [int((seat in mafia) != two_win) for seat in range(6)]
    return Games(*(array("q", column) for column in ([6] * count, seats, teams, ranks)))


def free_for_alls(count: int, rng: random.Random) -> list[list[RatedPlayer]]:
    """`count` games of six players, each for itself, without ties."""
    return [
        [
            RatedPlayer(agent, team, rank)
            for team, (agent, rank) in enumerate(
                zip(rng.sample(range(AGENTS), 6), rng.sample(range(6), 6), strict=True)
            )
        ]
        for _ in range(count)
    ]


def by_package(games: Sequence[Sequence[RatedPlayer]]) -> None:
    """What the package costs: `rate` at its default settings, one game after another."""
    package = load().TrueSkill()
    ratings = {agent: package.create_rating() for agent in range(AGENTS)}
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
    teams = list(mafia_games(sample, rng))
    everyone = free_for_alls(sample // 5, rng)
    work: dict[str, tuple[Callable[[], object], int]] = {
        "package": (lambda: by_package(teams), len(teams)),
        "rebuild": (lambda: fold(columns, TrueSkill()), games),
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
    """The rebuild, one update, and the leaderboard."""
    games = 500 if toy else 100_000
    worker = workers.of("ratings")
    found = worker.run(rebuilding, games=games, sample=20 if toy else 300, rounds=1 if toy else 10)
    package = {"package µs/game": median(found["package"])}
    alone = "package, free for all", "update, free for all"
    rows = [
        Row(
            PART,
            f"rebuild of {games:,} games / the trueskill package",
            ratios(found["package"], found["rebuild"]),
            target=100.0,
            numbers={"arena µs/game": median(found["rebuild"]), **package},
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
    return [*rows, *leaderboard.measure(worker, games=games, rounds=1 if toy else 5)]
