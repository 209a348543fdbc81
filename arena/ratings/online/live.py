"""Moves stored ratings by one finished game: what a recorder is handed (`db.fold.Fold`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import index

from arena.core import OnlineRatingSystem, Rating

_LARGEST_SIGMA = 1e6
_LARGEST_MU = 1e9


@dataclass(frozen=True, slots=True)
class FoldedGame:
    """What one game did: the ratings after it of every agent in it; who won and who lost (the
    others drew); `drawn` says that no single team had the best rank."""

    ratings: Mapping[int, Rating]
    won: frozenset[int]
    lost: frozenset[int]
    drawn: bool


@dataclass(frozen=True, slots=True)
class LiveFold:
    """A rating system, by the name under which it is registered, one game at a time."""

    system: str
    rates: OnlineRatingSystem

    def initial(self) -> Rating:
        """The rating of an agent that has not played."""
        return self.rates.initial()

    def play(
        self,
        seats: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        games: int,
        draws: int,
    ) -> FoldedGame:
        """Rate one game: `seats` are (agent_id, team, rank), `games` and `draws` what the pool
        counts so far. A game that an agent both won and lost, in several seats, is a draw for it.

        Raises ValueError for a rating that no game could have left behind, and what the rating
        system raises.
        """
        before = {agent: Rating(*skill) for agent, skill in ratings.items()}
        after = rated(self.rates, seats, before, draw_probability(games, draws))
        best = min(rank for _, _, rank in seats)
        drawn = len({team for _, team, rank in seats if rank == best}) > 1
        ahead = frozenset(() if drawn else (agent for agent, _, rank in seats if rank == best))
        behind = frozenset(agent for agent, _, rank in seats if rank != best)
        return FoldedGame(after, ahead - behind, behind - ahead, drawn)


def draw_probability(games: int, draws: int) -> float:
    """How likely a pool's next game is a draw, after `draws` in `games`: (draws + ½)/(games + 10).

    Half a draw in ten games stands for what is not known yet, and keeps it from being 0 or 1.
    """
    return (draws + 0.5) / (games + 10)


def rated(
    system: OnlineRatingSystem,
    seats: Sequence[tuple[int, int, int]],
    ratings: Mapping[int, tuple[float, float]],
    draw_probability: float,
) -> dict[int, Rating]:
    """What a system makes of a game, as it is stored. Raises ValueError for an agent that is left
    out or has an impossible rating, and what the system raises; never SystemExit."""
    try:
        found = system.rate(seats, ratings, draw_probability)
    except SystemExit as error:
        raise RuntimeError("the rating system wanted to end the process") from error
    if missing := [agent for agent in ratings if agent not in found]:
        raise ValueError(f"agent {missing[0]} played and was not rated")
    after = {agent: Rating(*map(float, found[agent])) for agent in ratings}
    check(after)
    return after


def check_seats(players: Sequence[tuple[int, int, int]]) -> None:
    """Raises ValueError for an agent, a team or a rank that is not a whole number."""
    for player in players:
        for value, name in zip(player, ("agent", "team", "rank"), strict=True):
            if type(value) is not int:
                try:
                    index(value)
                except TypeError:
                    said = f"found the {name} {value}: expected a whole number"
                    raise ValueError(said) from None


def check(skills: Mapping[int, tuple[float, float]]) -> None:
    """Raises ValueError for a rating that no game could have left behind."""
    for agent, (mu, sigma) in skills.items():
        if not (isfinite(mu) and abs(mu) <= _LARGEST_MU and 0.0 < sigma <= _LARGEST_SIGMA):
            raise ValueError(
                f"agent {agent} is rated {mu} ± {sigma}: expected a finite mu and a positive sigma"
            )
