"""Asks a tournament's matchmaker, and believes nothing of what it says before it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Unpack

from arena import registry
from arena.core import (
    Evidence,
    Matchmaker,
    Pairing,
    PluginError,
    Result,
    ScheduleSpec,
    Standings,
    Watchable,
)

_LARGEST_SEED = 2**63 - 1


class CheckedMatchmaker:
    """The matchmaker of a name, as `arena.core.Matchmaker`.

    `version` is that of its rule: 1, unless the rule has changed since and it has an option of this
    name. `width` is the prior standard deviation of skills under which its standings are made, in
    units of mu, where a former rule needs one; None for the average over widths. It `extends` where
    a longer schedule begins with a shorter one: `games` says only where it stops.

    Raises UsageError for agents, games or options that it refuses; PluginError, which names it,
    for whatever else it raises and for pairings that are none.
    """

    def __init__(self, name: str, **spec: Unpack[ScheduleSpec]) -> None:
        self._name = name
        self._agents = frozenset(spec["agents"])
        self._num_players = spec["num_players"]
        self._inside: Matchmaker = registry.make("matchmakers", name, **spec)
        self._what = registry.described("matchmakers", name)
        self._watched = self._inside if isinstance(self._inside, Watchable) else None
        with registry.guarded("matchmakers", name, "asked for its lag"):
            self.lag = self._inside.lag
            self.version: int = getattr(self._inside, "version", 1)
            self.width: float | None = getattr(self._inside, "width", None)
            # What waits for no result is compared with what is on record.
            self.extends = getattr(self._inside, "extends", self.lag is None) is True
        if type(self.version) is not int or self.version < 1:
            raise PluginError(
                f"{self._what} has the version {self.version!r}; expected a whole number from 1"
            )
        if self.lag is not None and not (isinstance(self.lag, int) and self.lag >= 1):
            raise PluginError(
                f"{self._what} has the lag {self.lag!r}; expected None or a whole number from 1"
            )

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        """The pairings that follow, in order."""
        with registry.guarded("matchmakers", self._name, "choosing the next games"):
            found = self._inside.next(standings, room)
        if not isinstance(found, Sequence) or isinstance(found, str):
            raise PluginError(f"{self._what} gave {found!r}; expected a sequence of pairings")
        for place, pairing in enumerate(found, len(standings.scheduled)):
            if problem := self._problem(pairing, place):
                raise PluginError(f"{self._what} {problem}")
        if len(found) > room and len({pairing.block for pairing in found}) > 1:
            raise PluginError(f"{self._what} gave {len(found)} pairings; at most {room} fit")
        return found

    def evidence(self, results: Sequence[Result]) -> Sequence[Evidence]:
        """How near it is to what it plays for; () of one that does not say. What is only shown
        stops nobody: one that raises, or gives something else, is not asked again."""
        if self._watched is None:
            return ()
        with suppress(PluginError), registry.guarded("matchmakers", self._name, "being watched"):
            found = tuple(self._watched.evidence(results))
            if all(isinstance(pair, Evidence) for pair in found):
                return found
        self._watched = None
        return ()

    def _problem(self, pairing: object, place: int) -> str | None:
        if not isinstance(pairing, Pairing):
            return f"gave {pairing!r} for place {place} of the schedule; expected a Pairing"
        if pairing.schedule_index != place:
            return (
                f"gave place {pairing.schedule_index} of the schedule where place {place} is next"
            )
        if len(pairing.agents) != self._num_players:
            return (
                f"seated {len(pairing.agents)} agents at place {place} of the schedule; "
                f"{self._num_players} play"
            )
        if strangers := sorted({*pairing.agents} - self._agents, key=repr):
            return (
                f"seated {strangers[0]!r} at place {place} of the schedule, which is no agent of "
                "the tournament"
            )
        if not isinstance(pairing.seed, int) or not 0 <= pairing.seed <= _LARGEST_SEED:
            return (
                f"gave the seed {pairing.seed!r} for place {place} of the schedule; expected a "
                f"whole number from 0 to {_LARGEST_SEED}"
            )
        return None
