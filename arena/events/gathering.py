"""Gathers the events of one game: drained from the environment, checked, and put in order.

Whatever goes wrong with events never stops a game: they are missing then, and say why.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from arena.core import Environment, Event, EventKind, Outcome, Position
from arena.core.readers import Cast, Speech
from arena.events.kinds import KINDS, VERSION
from arena.events.readings import read_by_the_rules, speeches

_LONGEST = 16_000  # characters of one event's data
_LONGEST_PHASE = 80
_LONGEST_POSITION = 200
# `json.dumps` makes one of these for every value.
_ENCODER = json.JSONEncoder(allow_nan=False)

TellsPositions = Callable[[Sequence[Event], Sequence[str | None]], Sequence[Position]]


@dataclass(frozen=True, slots=True)
class GatheredEvents:
    """The events of a game in the order in which they happened, with the kinds that they are of.

    `error` says why there are none; `version` is that of the projection; `reader` read the claims
    among them, None for the rules. `positions` are those that the game came to, each once, where
    its environment tells them.
    """

    events: tuple[Event, ...] = ()
    kinds: tuple[EventKind, ...] = ()
    error: str | None = None
    version: int = VERSION
    reader: str | None = None
    positions: tuple[Position, ...] = ()


def gathered_of(
    events: Sequence[Event],
    kinds: Mapping[str, EventKind],
    reader: str | None = None,
    positions: Sequence[Position] = (),
) -> GatheredEvents:
    """The events with the kinds that they are of; `reader` read their claims, None for the
    rules."""
    used = {event.kind for event in events}
    return GatheredEvents(
        tuple(events),
        tuple(kind for name, kind in kinds.items() if name in used),
        reader=reader,
        positions=tuple(positions),
    )


def positions_of(
    telling: TellsPositions | None, events: Sequence[Event], roles: Sequence[str | None]
) -> list[Position]:
    """The positions that a finished game came to, each once; `telling` is its environment's
    `positions`, None for one that tells none. Raises ValueError and TypeError for what no position
    is."""
    found: dict[str, Position] = {}
    for position in telling(events, roles) if telling is not None else ():
        if not isinstance(position, Position):
            raise TypeError(f"positions() returned {type(position).__name__}; expected Position")
        for what in (position.name, position.team):
            if not isinstance(what, str) or not 0 < len(what) <= _LONGEST_POSITION:
                raise ValueError(f"positions() told {what!r:.100}: no name of a position or team")
        found[position.name] = position
    return [*found.values()]


class EventsGatherer:
    """Asks `events` after the start of a game and after every turn, `positions` after its end; None
    tells none. `kinds` are the environment's own."""

    def __init__(
        self,
        events: Callable[[], Sequence[Event]] | None,
        kinds: Callable[[], Sequence[EventKind]] | None,
        num_players: int,
        positions: TellsPositions | None = None,
    ) -> None:
        self._ask = events
        self._telling = positions
        self._positions: list[Position] = []
        self._num_players = num_players
        self._gathered: list[Event] = []
        self._said: dict[int, str] = {}
        self._beliefs: dict[tuple[str, int, int], Any] = {}
        self._error: str | None = None
        self._kinds = dict(own_kinds())
        if kinds is not None:
            self._safely(lambda: self._add_kinds(kinds()))

    @classmethod
    def of(cls, environment: Environment, num_players: int) -> EventsGatherer:
        """The gatherer of an environment, whether it tells events or not."""
        telling = getattr(environment, "events", None)
        kinds = getattr(environment, "event_kinds", None)
        return cls(telling, kinds, num_players, getattr(environment, "positions", None))

    def begun(self) -> None:
        """The game has been reset."""
        self._safely(lambda: self._drain(None))

    def acted(self, turn: int, player: int, action: str, reading: Mapping[str, Any] | None) -> None:
        """A player is about to act with these words, which were read like this."""
        self._said[turn] = action
        suspects = (reading or {}).get("suspects")
        if isinstance(suspects, Mapping):
            known = {each: much for each, much in suspects.items() if _is_number(much)}
            self._safely(lambda: self._believed(turn, player, "belief", "suspicion", known))
        beliefs = (reading or {}).get("beliefs")
        if isinstance(beliefs, Mapping):
            by_role = {each: own for each, own in beliefs.items() if _are_chances(own)}
            self._safely(lambda: self._believed(turn, player, "role_belief", "roles", by_role))

    def stepped(self, turn: int, player: int, *, invalid: bool, eliminated: bool) -> None:
        """The rules have played the action of this turn."""
        self._safely(lambda: self._drain(turn))
        if invalid and self._ask is not None:
            data = {"eliminated": True} if eliminated else {}
            # A referee is no player.
            source = player if player < self._num_players else None
            self._gathered.append(Event("refused", source, data=data, turn=turn))

    def ended(self, outcome: Outcome, *, reading: bool = True) -> GatheredEvents:
        """The events of the game with what the rules read in its speeches; without `reading` only
        what happened."""
        # Where a game stands is not told by what its speeches are read to say.
        self._safely(lambda: self._stand(outcome))
        if reading:
            self._safely(lambda: self._read(outcome))
        if self._error is not None:
            return GatheredEvents(error=self._error)
        return gathered_of(self._gathered, self._kinds, positions=self._positions)

    def speeches(self) -> list[Speech]:
        """What was said, for a reader; before `ended` with its reading."""
        return speeches(self._gathered, self._said)

    def _stand(self, outcome: Outcome) -> None:
        roles = [player.role for player in outcome.players]
        self._positions = positions_of(self._telling, self._gathered, roles)

    def _safely(self, step: Callable[[], None]) -> None:
        if self._error is not None:
            return
        try:
            step()
        except (Exception, SystemExit):
            self._error = traceback.format_exc()

    def _add_kinds(self, kinds: Sequence[EventKind]) -> None:
        for kind in kinds:
            if kind.name in self._kinds:
                raise ValueError(f"the kind {kind.name!r} is the arena's: give it another name")
            self._kinds[kind.name] = kind

    def _drain(self, turn: int | None) -> None:
        if self._ask is None:
            return
        for event in self._ask():
            data = self._checked(event)
            self._gathered.append(replace(event, data=data, turn=turn))

    def _checked(self, event: Event) -> Mapping[str, Any]:
        """The data of an event as they come back from a row. Raises ValueError and TypeError."""
        if not isinstance(event, Event):
            raise TypeError(f"events() returned {type(event).__name__}; expected Event")
        kind = self._kinds.get(event.kind)
        if kind is None:
            raise ValueError(
                f"events() told {event.kind!r}, which is no kind: `event_kinds` names those that "
                "an environment brings"
            )
        for what, player in (("source", event.source), ("target", event.target)):
            if player is not None and (
                type(player) is not int or not 0 <= player < self._num_players
            ):
                raise ValueError(f"{event.kind}: the {what} {player!r} is no player_index")
        if event.audience is not None and not 0 <= event.audience < 1 << self._num_players:
            raise ValueError(f"{event.kind}: the audience {event.audience!r} names no players")
        if event.day is not None and not 0 <= event.day < 1 << 31:
            raise ValueError(f"{event.kind}: the day {event.day!r} is no number of one")
        if event.phase is not None and len(event.phase) > _LONGEST_PHASE:
            raise ValueError(f"{event.kind}: the phase has {len(event.phase)} characters")
        data = event.data
        if data:
            text = _ENCODER.encode(data)
            if len(text) > _LONGEST:
                raise ValueError(
                    f"{event.kind}: {len(text)} characters of data; at most {_LONGEST}"
                )
            data = json.loads(text)
        try:
            _validator(kind.name, _schema_text(kind))(data)
        except ValueError as error:
            raise ValueError(f"{event.kind}: the data do not fit its schema: {error}") from None
        return data

    def _believed(
        self, turn: int, player: int, kind: str, name: str, beliefs: Mapping[Any, Any]
    ) -> None:
        """What is new of the beliefs by player, as events of the kind with the data `name`."""
        for said, belief in beliefs.items():
            target = int(said) if str(said).isdecimal() and len(str(said)) < 4 else -1
            if (
                0 <= target < self._num_players
                and self._beliefs.get((kind, player, target)) != belief
            ):
                self._beliefs[kind, player, target] = belief
                last = self._gathered[-1] if self._gathered else Event(kind)
                self._gathered.append(
                    Event(kind, player, target, 0, {name: belief}, last.day, last.phase, turn)
                )

    def _read(self, outcome: Outcome) -> None:
        self._gathered = read_by_the_rules(self._gathered, self._said, Cast.of(outcome))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _are_chances(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(role, str) and _is_number(chance) for role, chance in value.items()
    )


_OWN_NAMES = frozenset(kind.name for kind in KINDS)


@cache
def own_kinds() -> Mapping[str, EventKind]:
    """The arena's own kinds of event, by name."""
    return {kind.name: kind for kind in KINDS}


def _schema_text(kind: EventKind) -> str:
    return _own_text(kind.name) if kind.name in _OWN_NAMES else json.dumps(dict(kind.schema))


@cache
def _own_text(name: str) -> str:
    return json.dumps(dict(own_kinds()[name].schema))


@cache
def _validator(name: str, schema: str) -> Callable[[Any], Any]:
    """A compiled schema: raises ValueError for what does not fit."""
    from fastjsonschema import compile as compiled

    check: Callable[[Any], Any] = compiled(json.loads(schema))
    return check
