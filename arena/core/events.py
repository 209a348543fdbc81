"""What happened in a game as typed facts, and the kinds of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

MOST_PLAYERS = 62
"""As many players an audience can name: a bit each, in a signed number of 64 bits."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event. `schema` is the JSON Schema of the `data` of its events, an object."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of a game.

    `source` is the player who did it, `target` the player it was done to; None where there is none.
    `audience` says who was shown it, a bit for each player (bit i is player_index i), 0 for what
    the rules keep to themselves, None where that is not known. `day` counts from 1 the rounds,
    hands or days of the game, `phase` names the part of one. `turn` is the turn of the game it
    happened in, None before the first; an environment leaves it to the game.
    """

    kind: str
    source: int | None = None
    target: int | None = None
    audience: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    day: int | None = None
    phase: str | None = None
    turn: int | None = None


class TellsEvents(Protocol):
    """What an environment may have besides: it tells what happened, as typed facts.

    What it tells follows from the seed and the actions alone. When it raises, the game counts, and
    its events are said to be missing. `event_kinds` are kinds of its own, beside the arena's; an
    environment that brings none has no such method.
    """

    def events(self) -> Sequence[Event]:
        """What happened since the last call: asked after `reset` and after every `step`."""
        ...


class TellsEventKinds(Protocol):
    """What an environment that tells events may have besides: kinds of its own."""

    def event_kinds(self) -> Sequence[EventKind]:
        """The kinds of event that the arena does not know (`arena.events.kinds`)."""
        ...


@dataclass(frozen=True, slots=True)
class Position:
    """Where a game stands in a turn, None before the first: games with the same `name` stand alike.

    `chance` is that of `team` to win from here when everybody plays at random, from 0 to 1.
    """

    turn: int | None
    name: str
    team: str
    chance: float


class TellsChances(Protocol):
    """What an environment may have besides: it tells who is ahead, without playing."""

    def positions(self, events: Sequence[Event], roles: Sequence[str | None]) -> Sequence[Position]:
        """The positions that a finished game went through, by its events and the roles of its
        players, each for the same team; none where the chances are not known."""
        ...


def audience_of(players: Iterable[int]) -> int | None:
    """An audience of these players; None where one of them has no bit."""
    mask = 0
    for player in players:
        if player >= MOST_PLAYERS:
            return None
        mask |= 1 << player
    return mask


def audience_players(audience: int) -> tuple[int, ...]:
    """The players of an audience, lowest first."""
    return tuple(player for player in range(audience.bit_length()) if audience >> player & 1)
