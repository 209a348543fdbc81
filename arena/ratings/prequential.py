"""What rating systems say of games before they are played: predictions of a record in its order.

The games are those of one environment.

Dawid, "Statistical Theory: The Prequential Approach" (JRSS A 147, 1984). A system that moves game
by game predicts every game from those before it. One that is fitted to all games at once is fitted
again at each of a few points, and predicts the games up to the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np

from arena.core import Games, OnlineRatingSystem, Ratings, RatingSystem
from arena.core.arrays import Floats
from arena.core.ratings import MU, SequentialRatingSystem
from arena.ratings.fit.design import Seats, seats
from arena.ratings.online.fold import fold
from arena.ratings.prediction import Team, predict

FIRST = 0.1
"""The share of the games that is only learned from."""

POINTS = 10
"""At so many points a batch system is fitted, each as much later than the one before in relation
to the games so far."""


@dataclass(frozen=True, slots=True)
class TeamPair:
    """Two teams of a game, counted from 0, that is to be predicted: `result` is 1 where the first
    finishes first, ½ for a draw, and `weight` the comparison's share of its game."""

    game: int
    teams: tuple[Team, Team]
    result: float
    weight: float


def points(games: int) -> list[int]:
    """Where a batch system is fitted: to the games before each of these, ascending."""
    steps = np.ceil(games * FIRST ** (1.0 - np.arange(POINTS) / POINTS)).astype(int)
    return sorted({int(step) for step in steps if 0 < step < games})


def comparisons(games: Games) -> list[TeamPair]:
    """All pairs of teams of the games that are predicted: those from the first point on. A team
    against its own like is left out, and so is a game of one team. Raises ValueError for columns
    that make no games."""
    played = seats(games)
    opens = points(len(games))
    return [] if not opens else [*_compared(played, opens[0])]


def _compared(played: Seats, first: int) -> Iterator[TeamPair]:
    agents = played.agents[played.agent].tolist()
    roles = [played.roles[role] for role in played.role.tolist()]
    members: dict[int, dict[int, list[tuple[int, str]]]] = {}
    for game, team, agent, role in zip(
        played.game.tolist(), played.team.tolist(), agents, roles, strict=True
    ):
        if game >= first:
            members.setdefault(game, {}).setdefault(team, []).append((agent, role))
    ranks = played.team_rank.tolist()
    for game, teams in members.items():
        pairs = [*combinations(teams, 2)]
        for one, other in pairs:
            ours, theirs = teams[one], teams[other]
            if sorted(ours) == sorted(theirs):
                continue
            result = 0.5 if ranks[one] == ranks[other] else float(ranks[one] < ranks[other])
            yield TeamPair(game, (ours, theirs), result, 1.0 / len(pairs))


def predicted(system: RatingSystem, games: Games, asked: Sequence[TeamPair]) -> Floats:
    """(n,): the chance of each comparison's first team, a draw counted as half, from the games
    before it alone. Raises what the system raises."""
    found = np.empty(len(asked))
    at = 0
    for game, known in _known(system, games):
        while at < len(asked) and asked[at].game == game:
            first, draw, _ = predict(known, asked[at].teams)
            found[at] = first + draw / 2.0
            at += 1
    return found


def base_rates(asked: Sequence[TeamPair]) -> Floats:
    """(n,): the chance of the first team for somebody who knows the roles of its seats and no
    agent: how teams with such roles did in the games before, with one win and one loss more."""
    won: defaultdict[tuple[str, str], float] = defaultdict(float)
    met: defaultdict[tuple[str, str], int] = defaultdict(int)
    found = np.empty(len(asked))
    ended: list[TeamPair] = []
    for at, each in enumerate(asked):
        if ended and ended[0].game != each.game:
            # What a game says counts from the next one on.
            for past in ended:
                ours, theirs = _roles(past)
                won[ours, theirs] += past.result
                won[theirs, ours] += 1.0 - past.result
                met[ours, theirs] += 1
                met[theirs, ours] += 1
            ended = []
        sides = _roles(each)
        found[at] = 0.5 if len({*sides}) == 1 else (won[sides] + 1.0) / (met[sides] + 2.0)
        ended.append(each)
    return found


def _roles(pair: TeamPair) -> tuple[str, str]:
    first, second = ("\0".join(sorted(role or "" for _, role in team)) for team in pair.teams)
    return first, second


def _known(system: RatingSystem, games: Games) -> Iterator[tuple[int, Ratings]]:
    """What the system knows before each game from the first point on."""
    opens = points(len(games))
    if not opens:
        return
    if isinstance(system, SequentialRatingSystem):
        for game, known in enumerate(system.before(games)):
            if game >= opens[0]:
                yield game, known
        return
    moves = _moves(system, games) if isinstance(system, OnlineRatingSystem) else None
    for start, end in pairwise([*opens, len(games)]):
        fitted = system.fit(first_games(games, start))
        for game in range(start, end):
            yield game, fitted if moves is None else _moved(fitted, moves[game])


def _moves(system: OnlineRatingSystem, games: Games) -> Sequence[Mapping[int, tuple[float, float]]]:
    """Of every game, the stored ratings before it of the agents in it."""
    found: list[dict[int, tuple[float, float]]] = [{} for _ in range(len(games))]
    pool, changes = fold(games, system)
    if pool.failure is not None:
        raise pool.failure.error
    for game, agent, mu, sigma, _, _ in changes.rows():
        found[game][agent] = (mu, sigma)
    return found


def _moved(fitted: Ratings, before: Mapping[int, tuple[float, float]]) -> Ratings:
    """The last fit's scale with the ratings as they stand."""
    rated = np.array([*before.values()])
    return replace(
        fitted,
        terms={("agent", str(agent)): at for at, agent in enumerate(before)},
        mean=rated[:, 0] - MU,
        covariance=np.diag(rated[:, 1] ** 2),
    )


def first_games(games: Games, count: int) -> Games:
    """The first so many games, roles, environments and blocks included."""
    end = int(np.asarray(games.sizes, dtype=np.int64)[:count].sum())
    return replace(
        games,
        sizes=games.sizes[:count],
        agents=games.agents[:end],
        teams=games.teams[:end],
        ranks=games.ranks[:end],
        roles=games.roles[:end],
        environments=games.environments[:count],
        blocks=games.blocks[:count],
        scores=games.scores[:end],
    )
