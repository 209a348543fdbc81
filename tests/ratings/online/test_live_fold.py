"""One finished game at a time: what is stored live, to the bit what a rebuild makes of it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from arena.core import Games, OnlineRatingSystem, RatedPlayer, Rating
from arena.ratings.online.fold import fold
from arena.ratings.online.live import LiveFold, draw_probability
from arena.ratings.openskill import OpenSkill
from arena.ratings.trueskill import TrueSkill

Seats = Sequence[tuple[int, int, int]]


class Fussy:
    """A system whose bits hang on everything it is told: the order of its mapping, the agents'
    ids, the numbers of teams."""

    name = "fussy"

    def initial(self) -> Rating:
        return Rating()

    def rate(
        self, players: Seats, ratings: Mapping[int, tuple[float, float]], draw_probability: float
    ) -> dict[int, Rating]:
        total = sum(mu * 1.1 ** (place + 1) for place, (mu, _) in enumerate(ratings.values()))
        pull = sum(team / (agent + 3) for agent, team, _ in players) * draw_probability
        return {
            agent: Rating(mu + (total - mu) * 1e-3 + pull - rank, sigma * 0.99)
            for agent, _, rank in players
            for mu, sigma in [ratings[agent]]
        }

    def fit(self, games: Games) -> Any:
        raise NotImplementedError


def a_game(rng: random.Random) -> list[RatedPlayer]:
    """Teams of any sizes, in any order, some agents in several seats."""
    teams = [rng.randrange(3) for _ in range(rng.randint(2, 6))]
    order: dict[int, int] = {}
    numbers = [order.setdefault(team, len(order)) for team in teams]
    ranks = {team: rng.randrange(2) for team in teams}
    return [
        RatedPlayer(rng.choice([3, 8, 21, 34]), number, ranks[team])
        for number, team in zip(numbers, teams, strict=True)
    ]


@pytest.mark.parametrize("system", [TrueSkill(), OpenSkill(), Fussy()], ids=lambda s: s.name)
def test_games_rated_one_by_one_are_a_fold_of_them_all(system: OnlineRatingSystem) -> None:
    rng = random.Random(5)
    games = [a_game(rng) for _ in range(120)]
    live, draws = LiveFold(system.name, system), 0
    ratings: dict[int, Rating] = {}
    tally: dict[int, list[int]] = {}
    for number, game in enumerate(games):
        before = {player.agent_id: ratings.get(player.agent_id, Rating()) for player in game}
        done = live.play(game, before, number, draws)
        ratings.update(done.ratings)
        draws += done.drawn
        for agent in before:
            won, lost = agent in done.won, agent in done.lost
            row = tally.setdefault(agent, [0, 0, 0])
            row[0] += won
            row[1] += not won and not lost
            row[2] += lost

    pool, _ = fold(Games.of(games), system)

    assert pool.ratings == ratings
    assert (pool.games, pool.draws) == (120, draws)
    assert {a: [s.wins, s.draws, s.losses] for a, s in pool.standings.items()} == tally


def test_wins_draws_and_losses() -> None:
    seen: list[float] = []

    class Still(TrueSkill):
        def rate(self, players: Any, ratings: Any, draw_probability: float) -> Any:
            seen.append(draw_probability)
            return ratings

    live, still = LiveFold("still", Still()), Rating()
    won = live.play([(1, 0, 0), (2, 0, 0), (3, 1, 1)], dict.fromkeys((1, 2, 3), still), 0, 0)
    shared = live.play([(1, 0, 0), (2, 1, 0), (3, 2, 2)], dict.fromkeys((1, 2, 3), still), 1, 0)
    alone = live.play([(1, 0, 0), (1, 1, 1)], {1: still}, 2, 1)
    assert (won.won, won.lost, won.drawn) == ({1, 2}, {3}, False)
    assert (shared.won, shared.lost, shared.drawn) == (frozenset(), {3}, True)
    assert (alone.won, alone.lost, alone.drawn) == (frozenset(), frozenset(), False)
    assert seen == [draw_probability(0, 0), draw_probability(1, 0), draw_probability(2, 1)]
    assert draw_probability(0, 0) == 0.05


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({1: (float("nan"), 8.0), 2: (25.0, 8.0)}, "agent 1 is rated nan"),
        ({1: (25.0, 8.0), 2: (25.0, 0.0)}, "agent 2 is rated 25.0 ± 0.0"),
        ({1: (25.0, 8.0)}, "agent 2 played and was not rated"),
    ],
)
def test_a_rating_that_is_none_is_refused(after: Any, said: str) -> None:
    class Broken(TrueSkill):
        def rate(self, *_: Any) -> Any:
            return after

    live = LiveFold("broken", Broken())
    with pytest.raises(ValueError, match=said):
        live.play([(1, 0, 0), (2, 1, 1)], {1: Rating(), 2: Rating()}, 0, 0)


def test_a_system_that_would_end_the_process_raises_an_error() -> None:
    class Exits(TrueSkill):
        def rate(self, *_: Any) -> Any:
            raise SystemExit(3)

    with pytest.raises(RuntimeError, match="wanted to end the process"):
        LiveFold("exits", Exits()).play([(1, 0, 0), (2, 1, 1)], {1: Rating(), 2: Rating()}, 0, 0)


@pytest.mark.parametrize("at", [0, 7, 39])
def test_a_system_that_raises_leaves_the_games_before(at: int) -> None:
    rng = random.Random(at)
    games = [a_game(rng) for _ in range(40)]

    class Raises(Fussy):
        """Knows a game by its agents' ratings, as a pure function must."""

        def rate(self, players: Seats, ratings: Any, draw_probability: float) -> Any:
            if list(players) == games[at] and not any(games[at] == game for game in games[:at]):
                raise ZeroDivisionError("no skill left")
            return super().rate(players, ratings, draw_probability)

    before, kept = fold(Games.of(games[:at]), Fussy())
    pool, changes = fold(Games.of(games), Raises())

    assert pool.failure is not None
    assert (pool.failure.game, str(pool.failure.error)) == (at, "no skill left")
    assert (pool.standings, pool.games, pool.draws) == (before.standings, at, before.draws)
    assert list(changes.rows()) == list(kept.rows())
    # It takes no further game.
    after, none = fold(Games.of(games), Fussy(), pool)
    assert after == pool
    assert len(none) == 0
