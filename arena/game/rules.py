"""Calls into the rules of a game: whatever they raise, or return amiss, is an EnvironmentCrash.

Rules are a plug-in, and may come from a stranger's package: what goes wrong in them makes one game
void and stops nothing else.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from arena.core import (
    ActionReading,
    Environment,
    EnvironmentCrash,
    Observation,
    Outcome,
    PlayerKnows,
    PlayerResult,
    Step,
    TargetHow,
    Termination,
)
from arena.events.gathering import EventsGatherer

P = ParamSpec("P")
T = TypeVar("T")


def guarded(call: Callable[P, T]) -> Callable[P, T]:
    """The same call, which raises EnvironmentCrash, with the traceback, for whatever is raised."""

    @wraps(call)
    def guard(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except (Exception, SystemExit) as error:
            if isinstance(error, EnvironmentCrash) and error.traceback:
                raise
            said = traceback.format_exception_only(error)[-1].strip()
            raise EnvironmentCrash(said, traceback.format_exc()) from error

    return guard


class GuardedRules:
    """One game's environment, believed only when checked: every method raises EnvironmentCrash.

    `source` is the package that holds the rules, and its version; `revision` how they are put to
    the players; `max_characters` the longest action that they are given whole; `events` gathers
    what happens, which never stops a game; `tells` is what a player is told of itself; `seats` are
    the players and, where the rules ask one, the referee behind them.
    """

    @guarded
    def __init__(self, make: Callable[[], Environment], num_players: int) -> None:
        self._make = make
        self._environment = make()
        self._asked: Environment | None = None
        self.num_players = num_players
        spec = self._environment.spec
        self.max_characters = spec.max_characters
        self.source = (spec.package, spec.version)
        self.revision = spec.revision
        self.tells = spec.tells
        self.seats = num_players + spec.referee
        self.events = EventsGatherer.of(self._environment, num_players)

    @guarded
    def reset(self, seed: int) -> None:
        """Start the game."""
        self._environment.reset(seed=seed, num_players=self.num_players)
        self.events.begun()

    @guarded
    def observe(self, turn_number: int) -> Observation:
        """What the player to move in this turn sees."""
        seen = _a(Observation, self._environment.observe(), "observe")
        if not isinstance(seen.text, str) or not isinstance(seen.new, str):
            raise _amiss("observe() returned an Observation whose text is no str")
        if seen.turn_number != turn_number:
            raise _amiss(f"observe() says turn {seen.turn_number} in turn {turn_number}")
        if type(seen.player_index) is not int or not 0 <= seen.player_index < self.seats:
            raise _amiss(
                f"observe() says that player {seen.player_index!r} is to move; there are players "
                f"0 to {self.seats - 1}"
            )
        return seen

    @guarded
    def known(self, observation: str) -> PlayerKnows:
        """What a player was told of itself, in what it was shown. It is read by an instance of the
        rules that never plays, and what it says must stand in the text: a prompt cannot tell a
        player what the game does not."""
        found = _a(PlayerKnows, self._unplayed().known(observation), "known")
        shown = observation.casefold()
        for name in self.tells:
            value = getattr(found, name)
            if not isinstance(value, str) or not value.strip():
                raise _amiss(f"known() returned the {name} {value!r}; expected a text")
            if value.casefold() not in shown:
                raise _amiss(f"known() told a {name} that the player was not shown")
        return found

    @guarded
    def player_names(self) -> Sequence[str]:
        """The names of the players, in order of player_index."""
        rules = self._unplayed()
        if not hasattr(rules, "player_names"):
            return [f"Player {index}" for index in range(self.num_players)]
        names = list(rules.player_names(self.num_players))
        if len(names) != self.num_players or not all(isinstance(name, str) for name in names):
            raise _amiss(f"player_names() returned {names!r}; expected {self.num_players} names")
        return names

    def _unplayed(self) -> Any:
        if self._asked is None:
            self._asked = self._make()
        return self._asked

    @guarded
    def read(self, action: str) -> ActionReading:
        """The text that `step` is given for an action, and what it was read to choose."""
        if not hasattr(self._environment, "read"):
            return ActionReading(_a(str, self._environment.prepare(action), "prepare"))
        reading = _a(ActionReading, self._environment.read(action), "read")
        if not isinstance(reading.text, str):
            raise _amiss("read() returned a ActionReading whose text is no str")
        if reading.target is not None and not isinstance(reading.target, str):
            raise _amiss(f"read() returned the target {reading.target!r}; expected a text")
        if reading.how is not None and not isinstance(reading.how, TargetHow):
            raise _amiss(f"read() returned how={reading.how!r}; expected one of TargetHow")
        return reading

    @guarded
    def answer_schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of what the player to move is to answer with; None for words."""
        if not hasattr(self._environment, "answer_schema"):
            return None
        found = self._environment.answer_schema()
        if found is not None and not isinstance(found, Mapping):
            raise _amiss(f"answer_schema() returned {found!r:.60}; expected a schema or None")
        return found

    @guarded
    def step(self, action: str) -> Step:
        """Play a prepared action."""
        return _a(Step, self._environment.step(action), "step")

    @guarded
    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        """The result so far, such as can be recorded and rated."""
        outcome = _a(Outcome, self._environment.outcome(turn_limit=turn_limit), "outcome")
        if not isinstance(outcome.termination, Termination):
            raise _amiss(f"outcome() has the termination {outcome.termination!r}, which is none")
        for name in ("reason", "winning_team"):
            value = getattr(outcome, name)
            if not isinstance(value, str) and (name == "reason" or value is not None):
                raise _amiss(f"outcome() has the {name} {value!r}; expected a text")
        if len(outcome.players) != self.num_players:
            raise _amiss(
                f"outcome() has {len(outcome.players)} players, {self.num_players} have played"
            )
        for index, player in enumerate(outcome.players):
            _check_player(player, index)
        return outcome


def _check_player(player: PlayerResult, index: int) -> None:
    if _a(PlayerResult, player, "outcome").player_index != index:
        raise _amiss(f"outcome() has player {player.player_index!r} at place {index}")
    for name in ("role", "team"):
        value = getattr(player, name)
        if value is not None and not isinstance(value, str):
            raise _amiss(f"outcome() gave player {index} the {name} {value!r}; expected a text")
    for name in ("rank", "invalid_actions"):
        value = getattr(player, name)
        if type(value) is not int or value < 0:
            raise _amiss(
                f"outcome() gave player {index} the {name} {value!r}; expected 0, 1, 2, ..."
            )
    if not isinstance(player.reward, int | float) or not math.isfinite(player.reward):
        raise _amiss(
            f"outcome() gave player {index} the reward {player.reward!r}, which is no number"
        )


def _a(kind: type[T], value: object, method: str) -> T:
    if not isinstance(value, kind):
        raise _amiss(f"{method}() returned {type(value).__name__}; expected {kind.__name__}")
    return value


def _amiss(message: str) -> EnvironmentCrash:
    said = f"the rules broke their protocol: {message}"
    return EnvironmentCrash(said, said)
