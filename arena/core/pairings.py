"""Who plays whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict, Unpack, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pairing:
    """A game not yet played: `agents[i]` is the agent_id at player_index i.

    `block` counts the groups of pairings that share a seed and rotate the agents.
    """

    schedule_index: int
    block: int
    seed: int
    agents: tuple[int, ...]


class Part(NamedTuple):
    """What a player is in a game; None where the rules know no roles or teams."""

    role: str | None = None
    team: str | None = None


Casting = Callable[[int], Sequence[Part]]
"""The part of every player_index in a game from a seed: rules deal them out before the first
turn, so that they are known before anybody has played."""


class RatedPlayer(NamedTuple):
    """One place in a finished game, as a rating system sees it. Players with the same `team`
    number play together; `rank` is the team's finishing place, equal ranks are a draw."""

    agent_id: int
    team: int
    rank: int


class Result(NamedTuple):
    """A finished game of the schedule: its players in order of player_index."""

    pairing: Pairing
    players: tuple[RatedPlayer, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the games of two agents say so far, for people who watch.

    `counts` are the blocks by the score of `a` in them, from none to all that their games give;
    () while nobody is to look, of which `blocks` there are. `statistic` is that of the `test`,
    which stops outside `bounds` (lower, upper); None where it has none yet. `estimate` is the mean
    score of `a` in a game, with its 95 % `interval` where the test has one. `decided` says that no
    further block of the two is to be played.
    """

    a: int
    b: int
    test: str
    blocks: int
    counts: tuple[int, ...] = ()
    statistic: float | None = None
    bounds: tuple[float, float] = (-inf, inf)
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Standings:
    """What is known when the next pairings are chosen, from the schedule's first `settled` games.

    `scheduled` is the whole schedule so far. `results` are those of the settled games that have
    one, in schedule order. `agents` are all agents in the configuration's order; `mean` (n,) and
    `covariance` (n, n) of their skills are in units of mu, around 0; `dollars` (n,) is what a game
    has cost an agent on average, NaN where nothing is known.
    """

    agents: tuple[int, ...]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    dollars: NDArray[np.float64]
    settled: int = 0
    scheduled: Sequence[Pairing] = ()
    results: Sequence[Result] = ()


def awaited(place: int, lag: int) -> int:
    """How many games, from the start of the schedule, must be settled before the block at this
    place of it is chosen, so that `lag` games are open at once."""
    return max(0, place + 1 - lag)


class Matchmaker(Protocol):
    """Says who plays next. The same seed and results give the same schedule, whenever it is asked
    and however many games are played at once.

    One whose rule has changed since tournaments were begun with it has an option `version` and an
    attribute of that name, a whole number: the newest unless the option says otherwise. It is kept
    with each tournament, which is played to its end by that version; those on record without one
    were begun with 1.

    One whose schedule of more games begins with that of fewer may say so with an attribute
    `extends`: its tournaments may grow. Unless it says, one without a lag is taken to.
    """

    @property
    def lag(self) -> int | None:
        """The block that begins at a place of the schedule is chosen from the standings after
        exactly the games that are `awaited` there, whatever else has finished: `lag` games run at
        once, without waiting for a round to end. None: the schedule does not depend on when it is
        asked, so it is asked with whatever is known."""
        ...

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        """The pairings that follow `standings.scheduled`, in schedule order, whole blocks: at most
        `room` of them, or one block where that is more. Empty when nothing is to be played before
        more is settled; the schedule is done when everything scheduled is settled as well."""
        ...


@runtime_checkable
class Watchable(Protocol):
    """What a matchmaker may have besides: it plays until something is decided, and says how near
    that is."""

    def evidence(self, results: Sequence[Result]) -> Sequence[Evidence]:
        """What these results say, in schedule order: more of them each time, or the same again. It
        is asked beside `next`, from another thread."""
        ...


class ScheduleSpec(TypedDict):
    """What a schedule is made from: at most `games` games of `num_players` players between these
    agents, by their ids in the configuration's order. All chance comes from `seed`."""

    agents: Sequence[int]
    num_players: int
    games: int
    seed: int
    options: Mapping[str, Any]
    casting: Casting


class MatchmakerFactory(Protocol):
    """Makes a tournament's matchmaker: a function, or a class."""

    def __call__(self, **spec: Unpack[ScheduleSpec]) -> Matchmaker:
        """Raises UsageError for too few agents, or for options that it does not know."""
        ...
