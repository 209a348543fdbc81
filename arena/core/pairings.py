"""Who plays whom, and what a game does to ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Pairing:
    """A game not yet played: `agents[i]` is the agent_id at player_index i.

    `block` counts the groups of pairings that share a seed and rotate the agents.
    """

    schedule_index: int
    block: int
    seed: int
    agents: tuple[int, ...]


class Rating(NamedTuple):
    """A skill as a normal distribution: the pair of floats that is stored."""

    mu: float = 25.0
    sigma: float = 25.0 / 3.0


class Matchmaker(Protocol):
    """Says who plays next. The same seed and calls give the same schedule."""

    def next(self, standings: Mapping[int, Rating], room: int) -> Sequence[Pairing]:
        """At most `room` further pairings, in schedule order; empty when the schedule is done."""
        ...


class MatchmakerFactory(Protocol):
    """Makes a matchmaker for a tournament of `games` games of `num_players` players."""

    def __call__(
        self,
        *,
        agents: Sequence[int],
        num_players: int,
        games: int,
        seed: int,
        options: Mapping[str, Any],
    ) -> Matchmaker:
        """Raises UsageError for too few agents, or for options that it does not know."""
        ...


class RatedPlayer(NamedTuple):
    """One place in a finished game, as a rating system sees it. Players with the same `team`
    number play together; `rank` is the team's finishing place, equal ranks are a draw."""

    agent_id: int
    team: int
    rank: int


class RatingSystem(Protocol):
    """Turns one finished game into new ratings. Pure: the fold over games is the rating."""

    @property
    def name(self) -> str: ...

    def initial(self) -> Rating:
        """The rating of an agent that has not played."""
        ...

    def rate(
        self,
        players: Sequence[tuple[int, int, int]],
        ratings: Mapping[int, tuple[float, float]],
        draw_probability: float,
    ) -> Mapping[int, Rating]:
        """The ratings after the game of every agent in it, keyed by agent_id.

        `players` are RatedPlayers or equal tuples; `ratings` holds every agent of the game;
        `draw_probability` is the pool's, in (0, 1)."""
        ...
