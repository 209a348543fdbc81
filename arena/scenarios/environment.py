"""Plays a scenario (`arena.core.Environment`): who speaks when, what is settled, what it was worth.

Everything follows from the file and from what is said: no part of it is drawn by lot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from arena.core import (
    EnvironmentSpec,
    Event,
    EventKind,
    Observation,
    Outcome,
    PlayerKnows,
    RulesOption,
    Step,
    Termination,
    UsageError,
)
from arena.scenarios import briefing
from arena.scenarios.kinds import KINDS
from arena.scenarios.reading import SHIPPED, Scenario, load, restored, shipped
from arena.scenarios.stage import Stage

VERSION = 2
"""Of how scenarios are played: it goes up when the same file makes another game."""

MAX_CHARACTERS = 4_000
PREFIX = "scenario-"


class ScenarioGame:
    """One play of a scenario.

    `name` is `scenario-NAME`: a scenario of the `folder`, which comes with the arena, or what
    people call the one in `file`. `scenario` is a copy of one (`copied`), which needs no file. A
    package that brings scenarios has a subclass with a folder of its own. Raises UsageError for a
    name without a scenario, ConfigError for a scenario that is wrong.
    """

    spec: EnvironmentSpec
    folder: ClassVar[Path] = SHIPPED

    def __init__(self, *, name: str, file: str = "", scenario: str = "") -> None:
        self._scenario = _found(name, file, scenario, self.folder)
        shape = self._scenario.shape
        players = len(shape.personas)
        team = ("team",) if all(persona.team for persona in shape.personas) else ()
        self.spec = EnvironmentSpec(
            name=name,
            min_players=players,
            max_players=players,
            package="scenario",
            version=f"{VERSION}+{self._scenario.mark}",
            options={"file": file} if file else {},
            description=" ".join(self._scenario.filled(shape.description).split()),
            max_characters=MAX_CHARACTERS,
            tells=("role", *team, "phase"),
            referee=shape.referee is not None,
            least_turns=shape.least_turns,
        )

    @classmethod
    def copied(cls, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options in which the scenario itself stands in the place of its file."""
        for key in options:
            if key not in ("file", "scenario"):
                raise UsageError(f"{name} has the option {key!r:.60}; expected 'file'")
        found = _found(name, options.get("file", ""), options.get("scenario", ""), cls.folder)
        return {"scenario": found.copied}

    @property
    def scenario(self) -> Scenario:
        """What is played."""
        return self._scenario

    def options(self) -> list[RulesOption]:
        """A scenario of one's own."""
        return [RulesOption("file", "str", ""), RulesOption("scenario", "str", "")]

    def event_kinds(self) -> Sequence[EventKind]:
        """What happens in scenarios alone."""
        return KINDS

    def known(self, observation: str) -> PlayerKnows:
        """The persona, its team, and the title of the latest scene."""
        return briefing.known(observation)

    def player_names(self, num_players: int) -> Sequence[str]:
        """The names of the personas."""
        return [persona.name for persona in self._scenario.shape.personas]

    def reset(self, *, seed: int, num_players: int) -> None:
        """Start the game; the seed changes nothing. Raises UsageError for another number of
        players."""
        if num_players != self.spec.min_players:
            raise UsageError(
                f"{self.spec.name} has {self.spec.min_players} personas, found {num_players} "
                "players"
            )
        self._stage = Stage(self._scenario)
        self._turn = 0
        self._invalid = [0] * num_players
        self._seen = [""] * (num_players + 1)

    def observe(self) -> Observation:
        """What the player to move sees."""
        player = self._stage.mover
        text = self._stage.heard(player)
        return Observation(player, self._turn, text, text[len(self._seen[player]) :])

    def answer_schema(self) -> Mapping[str, Any] | None:
        """The verdict, where the referee is to give one."""
        return self._stage.wanted

    def prepare(self, action: str) -> str:
        """The words without blanks around them, as long as they may be."""
        return action.strip()[:MAX_CHARACTERS].rstrip()

    def step(self, action: str) -> Step:
        """Say these words. Raises EnvironmentCrash when the referee gives no verdict."""
        player = self._stage.mover
        self._seen[player] = self._stage.heard(player)
        self._turn += 1
        refused = self._stage.say(action)
        if refused and player < len(self._invalid):
            self._invalid[player] += 1
        return Step(done=self._stage.over, invalid=refused)

    def events(self) -> Sequence[Event]:
        """What happened since the last call."""
        return self._stage.drain()

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        """The result so far; a game that is not over is a draw."""
        stage = self._stage
        if not stage.over:
            players = stage.results({}, self._invalid)
            reason = "The game was stopped before its end."
            return Outcome(players, Termination.TURN_LIMIT, reason, None)
        players = stage.results(stage.points, self._invalid)
        return Outcome(players, Termination.NATURAL, stage.reason(), stage.winner(players))


def _found(name: str, file: str, copied: str, folder: Path) -> Scenario:
    for key, given in (("file", file), ("scenario", copied)):
        if not isinstance(given, str):
            raise UsageError(f"{name} has the option {key}: {given!r:.60}; expected text")
    if file and copied:
        raise UsageError(f"{name} has the options 'file' and 'scenario'; expected one of them")
    if copied:
        return restored(copied)
    if file:
        return load(Path(file))
    own = name.removeprefix(PREFIX)
    if own not in shipped(folder):
        raise UsageError(
            f"no scenario {own!r} comes with the arena ({', '.join(shipped())}); write "
            f"`options: {{file: {own}.yaml}}` to play one of your own"
        )
    return load(folder / f"{own}.yaml")
