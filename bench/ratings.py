"""How fast ratings are rebuilt, as ratios to the `trueskill` package measured in the same run.

    python bench/ratings.py [--games N] [--json]

The games are six-player Secret Mafia: two against four, twelve agents, every third game a surprise.
Times are CPU seconds, the best of several rounds, with the package measured between the rounds.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from array import array
from collections.abc import Callable, Sequence

from arena.core import RatedPlayer, Rating
from arena.ratings.fold import draw_probability, fold
from arena.ratings.games import Games
from arena.ratings.package import load
from arena.ratings.trueskill import TrueSkill

ROUNDS = 10


def mafia_games(count: int, rng: random.Random) -> Games:
    """`count` games of two against four; the agents' order is their strength, mostly."""
    agents: list[int] = []
    teams: list[int] = []
    ranks: list[int] = []
    for _ in range(count):
        seated = rng.sample(range(12), 6)
        mafia = rng.sample(range(6), 2)
        two_win = rng.random() < 0.65
        agents += seated
        teams += [int(seat in mafia) for seat in range(6)]
        ranks += [int((seat in mafia) != two_win) for seat in range(6)]
    return Games(*(array("q", column) for column in ([6] * count, agents, teams, ranks)))


def free_for_alls(count: int, rng: random.Random) -> list[list[RatedPlayer]]:
    """`count` games of six players, each for itself, without ties."""
    return [
        [
            RatedPlayer(agent, team, rank)
            for team, (agent, rank) in enumerate(
                zip(rng.sample(range(12), 6), rng.sample(range(6), 6), strict=True)
            )
        ]
        for _ in range(count)
    ]


def by_package(games: Sequence[Sequence[RatedPlayer]]) -> None:
    """What the package costs: `rate` at its default settings, one game after another."""
    package = load().TrueSkill()
    ratings = {agent: package.create_rating() for agent in range(12)}
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
    """The live path: `TrueSkill.update`, one game after another."""
    system = TrueSkill()
    ratings = dict.fromkeys(range(12), Rating())
    for number, game in enumerate(games):
        ratings.update(system.rate(game, ratings, draw_probability(number, 0)))


def cpu(work: Callable[[], object], games: int) -> float:
    """Microseconds of CPU a game."""
    start = time.process_time()
    work()
    return (time.process_time() - start) / games * 1e6


def measure(count: int) -> dict[str, float]:
    """The ratios, and the package's microseconds a game that they refer to."""
    rng = random.Random(1)
    columns = mafia_games(count, rng)
    sample = list(mafia_games(300, rng))
    everyone = free_for_alls(60, rng)
    work: dict[str, tuple[Callable[[], object], int]] = {
        "package": (lambda: by_package(sample), len(sample)),
        "rebuild": (lambda: fold(columns, TrueSkill()), count),
        "update": (lambda: by_update(sample), len(sample)),
        "package, free-for-all": (lambda: by_package(everyone), len(everyone)),
        "update, free-for-all": (lambda: by_update(everyone), len(everyone)),
    }
    best = dict.fromkeys(work, float("inf"))
    for _ in range(ROUNDS):
        for name, (run, games) in work.items():
            best[name] = min(best[name], cpu(run, games))
    return {
        "games": count,
        "package_us": best["package"],
        "rebuild_us": best["rebuild"],
        "rebuild_ratio": best["package"] / best["rebuild"],
        "update_ratio": best["package"] / best["update"],
        "free_for_all_ratio": best["package, free-for-all"] / best["update, free-for-all"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--games", type=int, default=100_000, help="games in the rebuild")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args(arguments)
    found = measure(options.games)
    if options.json:
        print(json.dumps(found))
        return 0
    print(f"rating rebuild of {options.games:,} games: {found['rebuild_ratio']:.0f}x the package")
    print(f"one update, two against four: {found['update_ratio']:.1f}x the package")
    print(f"one update, six for themselves: {found['free_for_all_ratio']:.1f}x the package")
    return 0


if __name__ == "__main__":
    sys.exit(main())
