"""The promises of `arena.core.RatingSystem`, as checks that anybody's rating system can be put to.

The games are those that break rating systems: agents that only win, pools that never met, an agent
against itself. Each check raises ConformanceError with what was found and what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from arena.core import Games, OnlineRatingSystem, RatedPlayer, Rating, Ratings, RatingSystem
from arena.ratings.online.live import LiveFold
from arena.testing.conformance import ConformanceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MakeRatingSystem = Callable[[], RatingSystem]

_NEAR = 1e-3
"""Agents under other names, in units of mu: sums in another order, and no more than that."""


def check_rating_system(make: MakeRatingSystem, *, order_free: bool = False) -> None:
    """Every promise that a rating system can be held to alone. `order_free`: it claims that the
    order of the games does not matter, not even to the last bit.

    Fits some thirty small sets of games, and one of a thousand.
    """
    for what, games in nasty_games().items():
        _check_fit(make, what, games)
        _check_relabelled(make, what, games)
        if order_free:
            _check_order(make, what, games)
    _check_refusals(make)
    _check_skill(make)
    if isinstance(system := make(), OnlineRatingSystem):
        _check_rate(system)


def nasty_games() -> Mapping[str, Games]:
    """Sets of games in which something is missing, extreme or degenerate, by what it is."""
    return {
        "no games": Games.of([]),
        "one game": Games.of([_duel(1, 2)]),
        "one draw": Games.of([_duel(1, 2, draw=True)]),
        "one agent against itself": Games.of([_duel(1, 1)] * 3),
        "one agent, alone in one team": Games.of([[RatedPlayer(1, 0, 0)] * 2]),
        "games of one team only": Games.of([[RatedPlayer(k, 0, 0) for k in (1, 2, 3)]] * 3),
        "only wins": Games.of([_duel(1, 2), _duel(1, 3), _duel(2, 3)] * 4),
        "a thousand wins and no loss": Games.of([_duel(1, 2)] * 1000),
        "only draws": Games.of([_duel(1, 2, draw=True), _duel(2, 3, draw=True)] * 10),
        "two pools that never met": Games.of([_duel(1, 2), _duel(2, 1), _duel(8, 9)] * 5),
        "clones, six of one agent": Games.of([_mafia([1] * 6), _mafia([1] * 6, village=True)]),
        "clones in a team": Games.of([_mafia([1, 1, 2, 2, 2, 2]), _mafia([2, 2, 1, 1, 1, 1])] * 3),
        "a copy in each team": Games.of([_mafia([1, 2, 1, 3, 4, 5])] * 3),
        "seven teams with ties": Games.of([_seven(0), _seven(1), _seven(2)]),
        "seven teams, all tied": Games.of(
            [[RatedPlayer(agent, agent, 3) for agent in range(7)]] * 2
        ),
        "an agent in three of four teams": Games.of(
            [[RatedPlayer(a, team, team) for team, a in enumerate((1, 2, 1, 1))]] * 2
        ),
        "teams of one and of nine": Games.of(
            [[RatedPlayer(0, 0, 0), *(RatedPlayer(k, 1, 1) for k in range(1, 10))]] * 4
        ),
        "duels and games of seven": Games.of([_duel(0, 1), _seven(0), _duel(6, 5, draw=True)]),
        "huge agent ids": Games.of([_duel(2**62, 2**62 - 1), _duel(2**62 - 1, 7)] * 2),
        "strange team and rank numbers": Games.of(
            [[RatedPlayer(1, -5, -(2**40)), RatedPlayer(2, 2**40, 2**40)]] * 2
        ),
        "roles": _with_roles(
            [_mafia([1, 2, 3, 4, 5, 6]), _mafia([3, 4, 1, 2, 5, 6], village=True)] * 4
        ),
        "a role that one agent always has": _with_roles([_mafia([1, 1, 2, 3, 4, 5])] * 5),
        "two environments": replace(
            _with_roles([_mafia([1, 2, 3, 4, 5, 6])] * 4),
            environments=[0, 1, 1, 0],
            environment_names=["One-v0", "Two-v0"],
        ),
    }


def _duel(winner: int, loser: int, *, draw: bool = False) -> list[RatedPlayer]:
    return [RatedPlayer(winner, 0, 0), RatedPlayer(loser, 1, 0 if draw else 1)]


def _mafia(agents: Sequence[int], *, village: bool = False) -> list[RatedPlayer]:
    """Two against four; the two win unless the village does."""
    return [
        RatedPlayer(agent, int(seat >= 2), int((seat >= 2) != village))
        for seat, agent in enumerate(agents)
    ]


def _seven(turn: int) -> list[RatedPlayer]:
    """Everybody for themselves, places 0, 0, 1, 2, 2, 2, 3 handed on from game to game."""
    places = (0, 0, 1, 2, 2, 2, 3)
    return [RatedPlayer(k, k, places[(k + turn) % 7]) for k in range(7)]


def _with_roles(games: Sequence[Sequence[RatedPlayer]]) -> Games:
    roles = [1, 1, 0, 2, 2, 2] * len(games)
    return replace(Games.of(games), roles=roles, role_names=["Doctor", "Mafia", "Villager"])


def _check_fit(make: MakeRatingSystem, what: str, games: Games) -> None:
    import numpy as np

    ratings = make().fit(games)
    name = ratings.system
    where = f"{name}, {what}"
    _expect(name == make().name, f"{where}: the system's name, found {name!r}")
    size = len(ratings.mean)
    _expect(
        sorted(ratings.terms.values()) == list(range(size)),
        f"{where}: a position for each of {size} effects, found {dict(ratings.terms)}",
    )
    covariance = ratings.covariance
    _expect(covariance.shape == (size, size), f"{where}: {size}x{size} found {covariance.shape}")
    _expect(
        bool(np.isfinite(ratings.mean).all() and np.isfinite(covariance).all()),
        f"{where}: finite numbers",
    )
    _expect(bool((covariance == covariance.T).all()), f"{where}: a symmetric covariance")
    _expect(bool((np.diag(covariance) > 0.0).all()), f"{where}: positive variances")
    if size:
        least = float(np.linalg.eigvalsh(covariance)[0] / np.abs(covariance).max())
        _expect(least > -1e-9, f"{where}: a covariance, found one with the eigenvalue {least}")
    _expect(
        bool(np.isfinite([ratings.noise, ratings.margin]).all())
        and ratings.noise > 0.0
        and ratings.margin >= 0.0,
        f"{where}: a positive noise and a margin, found {ratings.noise} and {ratings.margin}",
    )
    counts = _counts(games)
    _expect(dict(ratings.games) == counts, f"{where}: games {counts}, found {dict(ratings.games)}")
    for agent in counts:
        _expect(("agent", str(agent)) in ratings.terms, f"{where}: agent {agent} to be rated")
    _check_contrasts(where, ratings, sorted(counts))
    _expect(_same(ratings, make().fit(games)), f"{where}: the same bits when fitted again")


def _check_contrasts(where: str, ratings: Ratings, agents: Sequence[int]) -> None:
    import numpy as np

    if len(agents) < 2:
        return
    for role in (None, *ratings.shares):
        mean, covariance = ratings.contrasts(agents, role)
        _expect(bool(np.isfinite(mean).all()), f"{where}: finite contrasts")
        _expect(bool((np.diag(covariance) > 0.0).all()), f"{where}: contrasts with an interval")


def _check_relabelled(make: MakeRatingSystem, what: str, games: Games) -> None:
    """Other numbers for the agents change nothing but rounding, whatever their order."""
    import numpy as np

    agents = sorted(_counts(games))
    names = {agent: 1000 - 7 * place for place, agent in enumerate(agents)}
    renamed = replace(games, agents=[names[int(agent)] for agent in games.agents])
    mean, covariance = make().fit(games).skills(agents)
    again, spread = make().fit(renamed).skills([names[agent] for agent in agents])
    far = max(
        float(np.abs(mean - again).max(initial=0.0)),
        float(np.abs(np.sqrt(np.diag(covariance)) - np.sqrt(np.diag(spread))).max(initial=0.0)),
    )
    _expect(far < _NEAR, f"{make().name}, {what}: the same under other names, found {far} apart")


def _check_order(make: MakeRatingSystem, what: str, games: Games) -> None:
    order = list(range(len(games)))
    Random(3).shuffle(order)
    _expect(
        _same(make().fit(games), make().fit(_reordered(games, order))),
        f"{make().name}, {what}: the same bits in any order of the games",
    )


def _check_skill(make: MakeRatingSystem) -> None:
    """Agents that win more are above those that win less."""
    rng = Random(11)
    games = []
    for _ in range(1000):
        one, other = rng.sample(range(6), 2)
        wins = rng.random() < 1.0 / (1.0 + 2.0 ** (one - other))
        games.append(_duel(one, other) if wins else _duel(other, one))
    name = make().name
    ratings = make().fit(Games.of(games))
    mean, covariance = ratings.contrasts(range(6))
    order = sorted(range(6), key=lambda agent: -float(mean[agent]))
    _expect(order == list(range(6)), f"{name}: agents in order of skill, found {order}")
    gap = float(mean[0] - mean[5])
    spread = float(covariance[0, 0] + covariance[5, 5] - 2.0 * covariance[0, 5]) ** 0.5
    _expect(gap > 5.0 * spread, f"{name}: the best and the worst apart, found {gap} ± {spread}")


def _check_refusals(make: MakeRatingSystem) -> None:
    good = Games.of([_duel(1, 2), _duel(2, 3)])
    bad = {
        "a column that is too short": replace(good, agents=[1, 2, 2]),
        "a game without seats": replace(good, sizes=[4, 0]),
        "a team with two ranks": replace(good, teams=[0, 0, 0, 1]),
    }
    for what, games in bad.items():
        try:
            make().fit(games)
        except ValueError:
            continue
        raise ConformanceError(f"{make().name} took {what}; expected a ValueError")


def _check_rate(system: OnlineRatingSystem) -> None:
    """Of an online system: every agent of the game comes back, what was given stays, and what is
    stored live is what a rebuild makes of the games."""
    import numpy as np

    from arena.ratings.online.fold import fold

    for what, games in nasty_games().items():
        ratings = {agent: system.initial() for agent in _counts(games)}
        for game in games:
            before = dict(ratings)
            rated = system.rate(game, ratings, 0.1)
            _expect(ratings == before, f"{system.name}, {what}: the ratings given left alone")
            _expect(
                set(rated) == {player.agent_id for player in game},
                f"{system.name}, {what}: every agent of the game, found {sorted(rated)}",
            )
            for agent, (mu, sigma) in rated.items():
                _expect(
                    bool(np.isfinite(mu)) and 0.0 < sigma <= system.initial().sigma * (1.0 + 1e-9),
                    f"{system.name}, {what}: agent {agent} rated, found {mu} ± {sigma}",
                )
            ratings.update(rated)
        _expect(
            _rated_live(system, games) == fold(games, system)[0].ratings,
            f"{system.name}, {what}: the same bits live, a game at a time, and in a rebuild",
        )


def _rated_live(system: OnlineRatingSystem, games: Games) -> dict[int, Rating]:
    """What is stored after the games have finished one by one."""
    live, draws = LiveFold(system.name, system), 0
    ratings: dict[int, Rating] = {}
    for number, game in enumerate(games):
        agents = dict.fromkeys(player.agent_id for player in game)
        before = {agent: ratings.get(agent) or live.initial() for agent in agents}
        played = live.play(game, before, number, draws)
        ratings.update(played.ratings)
        draws += played.drawn
    return ratings


def _counts(games: Games) -> dict[int, int]:
    counts: dict[int, int] = {}
    for game in games:
        for agent in {player.agent_id for player in game}:
            counts[agent] = counts.get(agent, 0) + 1
    return counts


def _reordered(games: Games, order: Sequence[int]) -> Games:
    """The same games in another order, with their roles and environments."""
    starts = [0]
    for size in games.sizes:
        starts.append(starts[-1] + int(size))
    seats = [seat for g in order for seat in range(starts[g], starts[g + 1])]

    def column(values: Sequence[int] | NDArray[np.int64], places: Sequence[int]) -> list[int]:
        return [int(values[place]) for place in places] if len(values) else []

    return replace(
        games,
        sizes=column(games.sizes, order),
        agents=column(games.agents, seats),
        teams=column(games.teams, seats),
        ranks=column(games.ranks, seats),
        roles=column(games.roles, seats),
        environments=column(games.environments, order),
    )


def _same(one: Ratings, other: Ratings) -> bool:
    """Whether two ratings agree to the last bit."""
    return (
        dict(one.terms) == dict(other.terms)
        and one.mean.tobytes() == other.mean.tobytes()
        and one.covariance.tobytes() == other.covariance.tobytes()
        and (one.noise, one.margin, one.link) == (other.noise, other.margin, other.link)
        and list(one.notes) == list(other.notes)
    )


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise ConformanceError(f"expected {expected}")
