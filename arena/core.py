"""The nouns of the arena and the protocols of what can be plugged into it.

Imports nothing of ours, so that every other room can speak the same words.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Protocol, TypedDict

# ---------------------------------------------------------------------------
# Errors
#
#   ArenaError                  finished, but something needs attention (exit 1)
#   ├── UsageError              a wrong command, name or value (exit 2)
#   │   └── ConfigError         a wrong tournament file (exit 2)
#   ├── ProviderError           a model could not be reached or would not answer
#   ├── EnvironmentCrash        the rules themselves raised
#   ├── RecordError             the record could not be written: the tournament stops
#   └── DivergenceError         a replayed game differs from its record
# ---------------------------------------------------------------------------


class ArenaError(Exception):
    """An error for the person who reads it: printed without a traceback."""

    exit_code: ClassVar[int] = 1


class UsageError(ArenaError):
    """What was typed or configured cannot be done; nothing was started."""

    exit_code: ClassVar[int] = 2


class ConfigError(UsageError):
    """A tournament file is wrong; the message names the file and the line."""


class ProviderError(ArenaError):
    """A call failed for good: every attempt is on record, the game is void."""


class EnvironmentCrash(ArenaError):
    """An environment raised: the game is void, never a loss. `traceback` keeps the text."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


class RecordError(ArenaError):
    """The record could not be written: nothing moves on without it, the tournament stops."""


class DivergenceError(ArenaError):
    """A game played again differs from its record; the message says where it does first."""


# ---------------------------------------------------------------------------
# Environments
# ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnvironmentSpec:
    """What is known of an environment before it is played.

    `package` and `version` name what holds the rules: a change of rules opens a new rating pool.
    """

    name: str
    min_players: int
    max_players: int
    package: str
    version: str
    options: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one player sees when it is its turn.

    `text` is everything the player has seen so far, oldest first; `new` is the part that was not
    there at this player's previous turn. `turn_number` counts the turns of the game from 0.
    """

    player_index: int
    turn_number: int
    text: str
    new: str


@dataclass(frozen=True, slots=True)
class Action:
    """What an agent does: `text` goes to the environment, exactly as the agent gave it."""

    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What an environment made of an action. `invalid` says that the rules refused it."""

    done: bool
    invalid: bool = False


class Termination(StrEnum):
    """Why a game ended, for machines; `Outcome.reason` says it for people."""

    NATURAL = "natural"
    INVALID_ACTION = "invalid_action"
    TURN_LIMIT = "turn_limit"


class VoidCause(StrEnum):
    """Why a game has no result. A void game is nobody's loss."""

    PROVIDER = "provider"
    ENVIRONMENT = "environment"
    AGENT = "agent"
    INTERRUPTED = "interrupted"
    DIVERGENCE = "divergence"


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


# ---------------------------------------------------------------------------
# Agents and models
# ---------------------------------------------------------------------------


class Message(TypedDict):
    """One chat message: role is `system`, `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as LiteLLM is asked for it.

    `params` are sent with the request (temperature, max_tokens, ...); `api_key_env` names the
    environment variable that holds the key, never the key. Prices are dollars per million tokens
    and replace the price list. `stream` asks for time to first token (10x the CPU).
    """

    name: str
    litellm_model: str
    params: Mapping[str, Any] = field(default_factory=dict)
    api_base: str | None = None
    api_key_env: str | None = None
    stream: bool = False
    input_price: float | None = None
    output_price: float | None = None


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """kind + model + prompt + options: change anything and it is another agent.

    `agent_id` is its row in the catalogue; `prompt` is the template, with `{{variables}}`.
    """

    agent_id: int
    name: str
    kind: str
    kind_version: int
    model: ModelSpec
    prompt: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and dollars of one attempt; None where the provider did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class CallIntent:
    """An attempt that is about to be sent; on disk before the request leaves.

    `call_index` counts every attempt of the turn from 0; `call_number` the agent's calls of
    `complete` in the turn; `attempt` the tries of that call, from 0. `request` is an allow-list of
    the parameters sent; `request_hash` covers model, messages and request.
    """

    call_index: int
    call_number: int
    attempt: int
    model: str
    messages: Sequence[Message]
    request: Mapping[str, Any]
    request_hash: str


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """How an attempt ended: an answer, or an error. Times are aware, UTC."""

    call_index: int
    request_sent_at: datetime
    response_received_at: datetime
    total_ms: float
    first_token_ms: float | None = None
    text: str | None = None
    response: Mapping[str, Any] | None = None
    model_answered: str | None = None
    finish_reason: str | None = None
    usage: Usage = Usage()
    error_class: str | None = None
    error_message: str | None = None
    error_status: int | None = None


class CallLog(Protocol):
    """Where one turn's calls are recorded."""

    async def intend(self, intent: CallIntent) -> None:
        """Returns when the intent is committed: only then may the request leave."""
        ...

    async def answer(self, answer: CallAnswer) -> None:
        """Takes the end of an attempt. It is committed before the next request leaves and
        before the game moves."""
        ...


@dataclass(frozen=True, slots=True)
class Completion:
    """What an agent gets back from a model. `text` may be empty: silence is an answer."""

    text: str
    finish_reason: str | None = None
    usage: Usage = Usage()


class LLM(Protocol):
    """The only way an agent reaches a model: everything through it is recorded."""

    async def complete(self, messages: Sequence[Message]) -> Completion:
        """Ask the agent's model. Raises ProviderError when every attempt failed."""
        ...


class Agent(Protocol):
    """A way of thinking at one place of one game; it may remember between its turns."""

    async def act(self, observation: Observation, llm: LLM) -> Action: ...


class AgentKind(Protocol):
    """Makes agents of one kind. `version` goes up when the kind behaves differently."""

    version: int

    def __call__(self, *, prompt: str, options: Mapping[str, Any]) -> Agent:
        """A fresh agent for one place of one game; `prompt` has its variables filled in. Raises
        UsageError for options that the kind does not know."""
        ...


# ---------------------------------------------------------------------------
# Pairing and rating
# ---------------------------------------------------------------------------


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


class Policy(Protocol):
    """A scripted model: an answer to a conversation, as a provider would give it."""

    def __call__(self, messages: Sequence[Message], rng: random.Random) -> str: ...
