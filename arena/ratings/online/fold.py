"""Ratings as a fold over packed columns of finished games, in schedule order: rebuilds.

The fold gives the bits that updating stored ratings game by game gives, because every step goes
through the mu and sigma that would be stored. A system that has one (`Unrolling`) plays runs of
two-team games in a generated loop; everything else takes its own `rate`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from math import sqrt
from typing import Protocol, runtime_checkable

import numpy as np

from arena.core import Games, OnlineRatingSystem, Rating, Ratings
from arena.core.arrays import Booleans, Floats, Integers
from arena.core.ratings import BETA, MU
from arena.ratings.online.codegen import Play
from arena.ratings.online.columns import Layout, lay_out
from arena.ratings.online.draw_margin import quantile, quantiles
from arena.ratings.online.live import check, draw_probability, rated
from arena.ratings.online.uniform_games import Even, evenly

SHORTEST_RUN = 16
"""So many games in a row are worth a generated loop, which takes some fifty updates to make."""

CHUNK = 20_000
"""Games laid out at a time: their columns fit a processor's cache, and memory stays flat."""


@runtime_checkable
class Unrolling(Protocol):
    """A rating system with a faster way to the bits of its `rate`."""

    def unrolled(self, first: int, second: int, *, keep: bool) -> Play:
        """The loop over games between teams of `first` and `second` seats, `first` <= `second`,
        no agent in two seats."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """An agent's rating in a pool and its games there, each counted once: a game that it both won
    and lost, in several seats, is a draw; so is a shared best rank."""

    rating: Rating
    games: int = 0
    wins: int = 0
    draws: int = 0
    losses: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """The game, counted from 0 among the columns of a fold, at which its system raised `error`."""

    game: int
    error: Exception


@dataclass(frozen=True, slots=True)
class Pool:
    """What a fold starts from and ends with: `draws` of `games` had no single best team.

    A pool with a `failure` holds the games before the one at which its system raised, and takes no
    further game.
    """

    standings: Mapping[int, Standing] = field(default_factory=dict)
    games: int = 0
    draws: int = 0
    failure: Failure | None = None

    @property
    def ratings(self) -> dict[int, Rating]:
        return {agent: standing.rating for agent, standing in self.standings.items()}


@dataclass(frozen=True, slots=True)
class Changes:
    """Every move of a rating, as columns: one row for each agent of each game, in fold order and
    within a game in order of first seat. `game` counts the folded games from 0."""

    game: Integers
    agent: Integers
    mu_before: Floats
    sigma_before: Floats
    mu_after: Floats
    sigma_after: Floats

    def __len__(self) -> int:
        return len(self.game)

    def rows(self) -> Iterator[tuple[int, int, float, float, float, float]]:
        """(game, agent_id, mu before, sigma before, mu after, sigma after), as plain numbers."""
        return zip(
            self.game.tolist(),
            self.agent.tolist(),
            self.mu_before.tolist(),
            self.sigma_before.tolist(),
            self.mu_after.tolist(),
            self.sigma_after.tolist(),
            strict=True,
        )


def fold(
    games: Games, system: OnlineRatingSystem, start: Pool | None = None
) -> tuple[Pool, Changes]:
    """The pool after all of `games`, or after those before the first at which the system raises
    (`Pool.failure`), and every change on the way.

    `start` is the pool before them (empty by default; it is not changed); agents without a
    standing start at `system.initial()`. Raises ValueError for columns that make no games or a
    start with an impossible rating.
    """
    pool = Pool() if start is None else start
    check(pool.ratings)
    if pool.failure is not None:
        games = _first(games, 0)
    parts = []
    for played, chunk in games.chunks(CHUNK):
        try:
            pool, changes = _fold(chunk, system, pool)
        except _Raised as raised:
            # A system is pure: what it made of the games before, it makes again.
            pool, changes = _fold(_first(chunk, raised.game), system, pool)
            pool = replace(pool, failure=Failure(played + raised.game, raised.error))
        parts.append(replace(changes, game=changes.game + played))
        if pool.failure is not None:
            break
    if len(parts) == 1:
        return pool, parts[0]
    return pool, Changes(
        *(
            np.concatenate([getattr(part, column.name) for part in parts])
            for column in fields(Changes)
        )
    )


def pool_after(games: Games, system: OnlineRatingSystem, start: Pool | None = None) -> Pool:
    """The pool that `fold` ends with, in less time and without its memory: no change is kept.
    Raises what the system raises."""
    pool = Pool() if start is None else start
    check(pool.ratings)
    for _, chunk in games.chunks(CHUNK):
        even = evenly(chunk) if isinstance(system, Unrolling) else None
        if even is None:
            try:
                pool, _ = _fold(chunk, system, pool)
            except _Raised as raised:
                raise raised.error from None
        else:
            assert isinstance(system, Unrolling)
            play = system.unrolled(*even.sizes, keep=False)
            pool = _after(even, play, system.initial(), pool)
    return pool


def fitted(games: Games, system: OnlineRatingSystem) -> Ratings:
    """What a fold from nothing says of every agent, each on its own: as a system's `fit`.

    The draw margin is that of the pool's draws. Games of several environments share one pool.
    """
    pool = pool_after(games, system)
    agents = sorted(pool.standings)
    rated = np.array([pool.standings[agent].rating for agent in agents]).reshape(-1, 2)
    several = len(np.unique(np.asarray(games.environments))) > 1
    return Ratings(
        system=system.name,
        terms={("agent", str(agent)): at for at, agent in enumerate(agents)},
        mean=rated[:, 0] - MU,
        covariance=np.diag(rated[:, 1] ** 2),
        margin=quantile(draw_probability(pool.games, pool.draws)) * (sqrt(2) * BETA),
        games={agent: pool.standings[agent].games for agent in agents},
        notes=["Games of several environments were rated in one pool."] if several else [],
    )


def _after(even: Even, play: Play, initial: Rating, start: Pool) -> Pool:
    """The pool after games that are alike."""
    names = even.names.tolist()
    new = Standing(initial)
    before = [start.standings.get(agent, new) for agent in names]
    mu = [standing.rating.mu for standing in before]
    sigma = [standing.rating.sigma for standing in before]
    play(
        mu,
        sigma,
        even.ahead.ravel().tolist(),
        even.behind.ravel().tolist(),
        even.sign.tolist(),
        quantiles(_probabilities(start, even.drawn)),
        bytearray(),
        0,
    )
    tally = zip(names, before, map(Rating, mu, sigma), *even.tally(), strict=True)
    standings = {
        agent: Standing(
            rating,
            old.games + games,
            old.wins + wins,
            old.draws + games - wins - losses,
            old.losses + losses,
        )
        for agent, old, rating, games, wins, losses in tally
    }
    draws = start.draws + int(even.drawn.sum())
    return Pool({**start.standings, **standings}, start.games + len(even.sign), draws)


class _Raised(Exception):
    """A rating system has raised `error` at a game."""

    def __init__(self, game: int, error: Exception) -> None:
        super().__init__(game, error)
        self.game = game
        self.error = error


def _first(games: Games, count: int) -> Games:
    """The first games of a chunk."""
    seats = int(np.asarray(games.sizes[:count], dtype=np.int64).sum())
    return Games(
        games.sizes[:count], games.agents[:seats], games.teams[:seats], games.ranks[:seats]
    )


def _fold(games: Games, system: OnlineRatingSystem, start: Pool) -> tuple[Pool, Changes]:
    """`fold` of one chunk. Raises _Raised."""
    layout = lay_out(games)
    try:
        before = [
            start.standings.get(agent) or Standing(system.initial())
            for agent in layout.names.tolist()
        ]
    except Exception as error:
        raise _Raised(0, error) from error
    mu = [standing.rating.mu for standing in before]
    sigma = [standing.rating.sigma for standing in before]
    rows = _row_order(layout)
    initial = np.array([mu, sigma]).T
    after = _play(games, layout, rows, system, start, (mu, sigma))
    changes = _changes(layout, rows, after, initial)
    standings = {**start.standings, **_standings(layout, changes, before)}
    draws = start.draws + int(layout.drawn.sum())
    return replace(start, standings=standings, games=start.games + len(games), draws=draws), changes


def _probabilities(start: Pool, drawn: Booleans) -> Floats:
    """`draw_probability` before each game."""
    earlier = start.draws + np.cumsum(drawn) - drawn
    found: Floats = (earlier + 0.5) / (start.games + np.arange(len(drawn)) + 10)
    return found


def _row_order(layout: Layout) -> Integers:
    """The agents' first seats, game after game; in a plain game the first team's come first."""
    seats = np.flatnonzero(layout.first)
    key = 2 * layout.game[seats] + layout.second[seats]
    return seats[np.argsort(key, kind="stable")]


def _play(
    games: Games,
    layout: Layout,
    rows: Integers,
    system: OnlineRatingSystem,
    start: Pool,
    state: tuple[list[float], list[float]],
) -> Floats:
    """(rows, 2): mu and sigma after every row, through `state`: mu and sigma by agents' codes."""
    mu, sigma = state
    probabilities = _probabilities(start, layout.drawn)
    heights = np.bincount(layout.game[rows], minlength=len(games))
    ends = np.cumsum(heights)
    codes = layout.code[rows]
    signs = layout.sign.astype(np.float64).tolist()
    packed = bytearray(16 * len(rows))
    after = np.ndarray((len(rows), 2), np.float64, packed)
    widths = quantiles(probabilities)
    loops = system if isinstance(system, Unrolling) else None
    for low, high, sizes in _runs(layout, heights, loops is not None):
        at = int(ends[low] - heights[low])
        if loops is not None and sizes is not None:
            seats = codes[at : int(ends[high - 1])].reshape(high - low, -1)
            ahead, behind = (part.ravel().tolist() for part in np.split(seats, sizes[:1], axis=1))
            play = loops.unrolled(*sizes, keep=True)
            play(mu, sigma, ahead, behind, signs[low:high], widths[low:high], packed, 16 * at)
            continue
        for g in range(low, high):
            played, code = _seats(games, layout, g)
            skills = {agent: Rating(mu[e], sigma[e]) for agent, e in code.items()}
            try:
                ratings = rated(system, played, skills, float(probabilities[g]))
            except Exception as error:
                raise _Raised(g, error) from error
            for agent, e in code.items():
                mu[e], sigma[e] = ratings[agent]
            for e in codes[at : int(ends[g])].tolist():
                after[at] = mu[e], sigma[e]
                at += 1
    return after


def _runs(
    layout: Layout, heights: Integers, inlined: bool
) -> Iterator[tuple[int, int, tuple[int, int] | None]]:
    """(from, to, team sizes) of games in a row that one unrolled loop can play; sizes are None
    where each game takes the system's own `rate`."""
    n = len(heights)
    if not n:
        return
    second = np.bincount(layout.game[layout.second], minlength=n)
    shape = np.where(layout.plain & inlined, heights * (heights.max() + 1) + second, -1)
    edges = np.flatnonzero(np.diff(shape, prepend=-2, append=-2)).tolist()
    for low, high in pairwise(edges):
        if shape[low] >= 0 and high - low >= SHORTEST_RUN:
            yield low, high, (int(heights[low] - second[low]), int(second[low]))
        else:
            yield low, high, None


def _seats(
    games: Games, layout: Layout, g: int
) -> tuple[list[tuple[int, int, int]], dict[int, int]]:
    """(agent_id, team, rank) of every seat of one game, teams numbered in order of first seat, and
    the codes of its agents in order of first seat: exactly what a system is asked live."""
    low = int(layout.starts[g])
    high = low + int(games.sizes[g])
    codes = layout.code[low:high].tolist()
    agents = layout.names[layout.code[low:high]].tolist()
    numbers: dict[int, int] = {}
    teams = [numbers.setdefault(int(team), len(numbers)) for team in games.teams[low:high]]
    ranks = [int(rank) for rank in games.ranks[low:high]]
    return list(zip(agents, teams, ranks, strict=True)), dict(zip(agents, codes, strict=True))


def _changes(layout: Layout, rows: Integers, after: Floats, initial: Floats) -> Changes:
    """The rows back in order of seats; what an agent had before is what its last game left."""
    back = np.argsort(rows, kind="stable")
    seats, after = rows[back], after.take(back, axis=0)
    code = layout.code[seats]
    # Sixteen bits are sorted by radix, several times faster.
    narrow = code.astype(np.uint16) if len(initial) < 2**16 else code
    by_agent = np.argsort(narrow, kind="stable")
    previous = np.empty_like(by_agent)
    previous[by_agent[1:]] = by_agent[:-1]
    games = np.bincount(code, minlength=len(initial))
    first = by_agent[np.cumsum(games) - games]
    previous[first] = first
    before = after.take(previous, axis=0)
    before[first] = initial
    return Changes(
        game=layout.game[seats],
        agent=layout.names[code],
        mu_before=before[:, 0],
        sigma_before=before[:, 1],
        mu_after=after[:, 0],
        sigma_after=after[:, 1],
    )


def _standings(layout: Layout, changes: Changes, before: Sequence[Standing]) -> dict[int, Standing]:
    seats = np.flatnonzero(layout.first)
    code = layout.code[seats]
    n = len(before)
    won, lost = layout.won[seats], layout.lost[seats]
    wins = np.bincount(code[won & ~lost], minlength=n).tolist()
    losses = np.bincount(code[lost & ~won], minlength=n).tolist()
    games = np.bincount(code, minlength=n).tolist()
    last = np.zeros(n, np.int64)
    last[code] = np.arange(len(code))
    mu, sigma = changes.mu_after[last].tolist(), changes.sigma_after[last].tolist()
    return {
        agent: Standing(
            Rating(mu[e], sigma[e]),
            games=old.games + games[e],
            wins=old.wins + wins[e],
            draws=old.draws + games[e] - wins[e] - losses[e],
            losses=old.losses + losses[e],
        )
        for e, (agent, old) in enumerate(zip(layout.names.tolist(), before, strict=True))
    }
