"""The rules of a game and what they say: observations, actions, outcomes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """What is known of an environment before it is played.

    `package` and `version` name what holds the rules: a change of rules opens a new rating pool.
    `revision` counts from 1 how the rules are put to the players and answers to the rules, where
    that has changed: games keep theirs, and a board that mixes them says so. A factory that knows
    several takes the number as `revision` and makes the latest without it.
    `max_characters` is the longest action that the rules are given whole; None for any length.
    `faults` are what is known to be wrong with the rules, a sentence each; `twin` is the name of
    the environment in which some of them are mended, or of which this is the mended one. `tells`
    are what it tells every player of itself, of role, team and phase (`TellsPlayers`). With
    `referee` the rules ask somebody who is no player and is not rated: in its turns the
    player_index is the number of players, and no outcome tells of it. `least_turns` are the fewest
    turns, a referee's among them, in which a game can come to its end.
    """

    name: str
    min_players: int
    max_players: int
    package: str
    version: str
    options: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    max_characters: int | None = None
    revision: int = 1
    faults: tuple[str, ...] = ()
    twin: str | None = None
    tells: tuple[str, ...] = ()
    referee: bool = False
    least_turns: int = 1


@dataclass(frozen=True, slots=True)
class RulesOption:
    """An option of an environment: its `type` as Python writes it, and what holds without it;
    `required` where nothing does."""

    name: str
    type: str
    default: Any = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """What one player, or the referee, sees when it is its turn.

    `text` is everything the player has seen so far, oldest first; `new` is the part that was not
    there at this player's previous turn. `turn_number` counts the turns of the game from 0.
    """

    player_index: int
    turn_number: int
    text: str
    new: str


@dataclass(frozen=True, slots=True)
class Action:
    """What an agent does: `text` goes to the environment, exactly as the agent gave it.

    `thoughts` are what it thought on the way, empty where it told none, None from an agent that
    does not tell thoughts from speech. `reading` is how the action was read from the answer, plain
    JSON, None where there is nothing to tell.
    """

    text: str
    thoughts: str | None = None
    reading: Mapping[str, Any] | None = None


class TargetHow(StrEnum):
    """How it was told whom or what an action chooses: it says so, it names one candidate only, it
    names several and the rules choose, or it names none that it does not rule out."""

    STATED = "stated"
    ONLY = "only candidate"
    SEVERAL = "several: the rules' choice"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ActionReading:
    """What the rules are given for an action (`text`), and what its words were read to choose.

    `target` is whom or what the action names, None where it names nothing or the rules ask for no
    name; `how` is how that was told, None where the rules ask for none.
    """

    text: str
    target: str | None = None
    how: TargetHow | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What an environment made of an action. `invalid` says that the rules refused it,
    `eliminated` that they threw the player out of the game for it, whether or not that ended it."""

    done: bool
    invalid: bool = False
    eliminated: bool = False


class Termination(StrEnum):
    """Why a game ended, for machines; `Outcome.reason` says it for people."""

    NATURAL = "natural"
    TURN_LIMIT = "turn_limit"
    INVALID_ACTION = "invalid_action"
    SILENCE = "silence"
    REFUSAL = "refusal"
    OVERLONG = "overlong"
    TIME_LIMIT = "time_limit"
    MALFUNCTION = "malfunction"


class Lapse(StrEnum):
    """What was wrong with an agent's turn, whatever the rules made of it; a malfunction is that of
    a program which plays. A game that an invalid
    action decided has the termination of the lapse behind it, if there is one."""

    SILENCE = "silence"
    REFUSAL = "refusal"
    OVERLONG = "overlong"
    TIME_LIMIT = "time_limit"
    MALFUNCTION = "malfunction"


class VoidCause(StrEnum):
    """Why a game has no result. A void game is nobody's loss."""

    PROVIDER = "provider"
    ENVIRONMENT = "environment"
    AGENT = "agent"
    INTERRUPTED = "interrupted"
    DIVERGENCE = "divergence"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class PlayerResult:
    """One player's part in an outcome. `rank` is the finishing place of its team, from 0; equal
    ranks are a draw. `reward` is the environment's own number, kept but not rated."""

    player_index: int
    role: str | None
    team: str | None
    rank: int
    reward: float
    invalid_actions: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a finished game: `players` in order of player_index.

    Players of the same `team` share a rank; a player without a team is a team of its own.
    `winning_team` is None when no single team won.
    """

    players: tuple[PlayerResult, ...]
    termination: Termination
    reason: str
    winning_team: str | None


class Environment(Protocol):
    """One play of some rules: synchronous, seeded, without I/O.

    The same seed, number of players and actions give the same observations and outcome, whatever
    else runs in the process. A fresh instance is made for every game.
    """

    spec: EnvironmentSpec

    def reset(self, *, seed: int, num_players: int) -> None:
        """Start the game. Raises UsageError for a number of players that the rules refuse."""
        ...

    def observe(self) -> Observation:
        """What the player to move sees. Calling it again without a step gives an equal answer."""
        ...

    def prepare(self, action: str) -> str:
        """The text that `step` will hand to the rules for this action (markup, clipping); pure."""
        ...

    def step(self, action: str) -> Step:
        """Play a prepared action for the player to move. Raises EnvironmentCrash."""
        ...

    def outcome(self, *, turn_limit: bool = False) -> Outcome:
        """The result so far; with `turn_limit` the game was stopped by the arena, a draw unless
        the rules already know better."""
        ...


class ReadsActions(Protocol):
    """What an environment may have besides: it reads what an action chooses."""

    def read(self, action: str) -> ActionReading:
        """What the player to move chooses with these words, and what `step` will hand to the rules
        for them, in the place of `prepare`; pure."""
        ...


@dataclass(frozen=True, slots=True)
class PlayerKnows:
    """What a player was told of itself; None where nothing was said of it."""

    role: str | None = None
    team: str | None = None
    phase: str | None = None


@runtime_checkable
class TellsPlayers(Protocol):
    """What an environment may have besides: it reads, in what a player was shown, what the player
    was told of itself, for the variables of prompts. It is asked before `reset`, of an instance
    that never plays: it knows no more than the text says."""

    def known(self, observation: str) -> PlayerKnows:
        """What stands in the text of an `Observation`, word for word but for capitals; of what
        the `spec` says that it tells, nothing is None."""
        ...


class NamesPlayers(Protocol):
    """What an environment may have besides: its players have names other than Player 0, Player 1,
    and so on. It is asked before `reset`."""

    def player_names(self, num_players: int) -> Sequence[str]:
        """The names, in order of player_index."""
        ...


class TellsAnswerSchema(Protocol):
    """What an environment may have besides: it says what an answer has to hold, for the form that
    a person fills in. It asks nothing of a model's provider (`TellsActOptions`)."""

    def answer_schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema of the object that the player to move is to answer with, `properties` of
        `enum`, `number`, `integer` or `string`; None for words."""
        ...


@dataclass(frozen=True, slots=True)
class GameBooks:
    """What a referee (`arena.testing.referee`) may look at between two turns of a game.

    `conserved` are quantities that the rules neither make nor lose, by name; `out` are the players
    who are out of the game; `late_results` counts the results that the rules gave when the game was
    over already; `amiss` are states that the rules should never be in, a sentence each.
    """

    conserved: Mapping[str, float] = field(default_factory=dict)
    out: frozenset[int] = frozenset()
    late_results: int = 0
    amiss: tuple[str, ...] = ()


class KeepsBooks(Protocol):
    """What an environment may have besides: it shows its books to a referee."""

    def books(self) -> GameBooks:
        """The books of the game as it stands."""
        ...


class CopiesFiles(Protocol):
    """What the factory of an environment may have besides: it copies the files that its options
    name into the options, so that a tournament on record needs none of them."""

    def copied(self, name: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """The options of the same game, without files. Raises UsageError."""
        ...


class TellsOptions(Protocol):
    """What an environment may have besides: it tells what options it takes."""

    def options(self) -> Sequence[RulesOption]:
        """The options of this environment, in the order in which its rules have them."""
        ...


def options_of(
    make: Callable[..., Any], defaults: Mapping[str, Any] | None = None
) -> list[RulesOption]:
    """The options that a function takes by name, with its own defaults or those given here; `name`
    and `revision` are the environment's. Raises ValueError for what tells no signature."""
    options = []
    for parameter in inspect.signature(make).parameters.values():
        if parameter.name in ("name", "revision") or parameter.kind in _NOT_BY_NAME:
            continue
        default = (defaults or {}).get(parameter.name, parameter.default)
        kind = parameter.annotation
        if kind is inspect.Parameter.empty:
            kind = "any" if default is inspect.Parameter.empty else type(default)
        options.append(
            RulesOption(
                parameter.name,
                kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", ""),
                None if default is inspect.Parameter.empty else default,
                required=default is inspect.Parameter.empty,
            )
        )
    return options


_NOT_BY_NAME = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
)
