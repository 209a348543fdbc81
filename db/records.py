"""What the recorder writes: one frozen record per fact of a game, addressed by its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class GameStarted:
    """A scheduled game is being played."""

    game_id: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class TurnOpened:
    """A player was shown `observation`: everything it has seen so far."""

    game_id: int
    turn_number: int
    player_index: int
    observation: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class CallIntended:
    """An attempt at a provider that is about to be sent.

    `messages` is any JSON value; a content that holds the turn's observation is stored as a
    reference to it. `request` is the allow-list of the parameters sent; `reserved` the most that
    the attempt can cost, in dollars, None where no price is known.
    """

    game_id: int
    turn_number: int
    player_index: int
    call_index: int
    call_number: int
    attempt: int
    model: str
    messages: Sequence[Mapping[str, Any]]
    request: Mapping[str, Any]
    request_hash: str
    reserved: float | None = None


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """How an attempt ended: an answer, or an error. Milliseconds, dollars and aware times.

    `charged` is what it counts against a budget; `cached` that its answer was on record already;
    `cacheable` that equal requests may be answered with it from now on.
    """

    game_id: int
    turn_number: int
    player_index: int
    call_index: int
    request_sent_at: datetime
    response_received_at: datetime
    total_ms: float
    first_token_ms: float | None = None
    text: str | None = None
    response: Mapping[str, Any] | None = None
    model_answered: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    error_class: str | None = None
    error_message: str | None = None
    error_status: int | None = None
    charged: float | None = None
    cached: bool = False
    cacheable: bool = False


@dataclass(frozen=True, slots=True)
class TurnActed:
    """What the agent did. `submitted` is the text the environment was given, when it differs;
    `lapse` what was wrong with the turn: silence, refusal, overlong or time_limit."""

    game_id: int
    turn_number: int
    player_index: int
    action: str
    acted_at: datetime
    submitted: str | None = None
    response_time_ms: float | None = None
    tokens_used: int | None = None
    lapse: str | None = None


@dataclass(frozen=True, slots=True)
class TurnRefused:
    """The rules refused the action of this turn."""

    game_id: int
    turn_number: int
    player_index: int


@dataclass(frozen=True, slots=True)
class PlayerFinished:
    """One player's part in the result. `rank` counts from 0; equal ranks are a draw.

    `turns` it took, and in how many of them the rules refused its action, or it lapsed; `decided`
    says that a lapse or an invalid action of its own decided the game.
    """

    player_index: int
    role: str | None
    team: str | None
    rank: int
    reward: float
    invalid_actions: int = 0
    turns: int | None = None
    silences: int = 0
    refusals: int = 0
    overlongs: int = 0
    time_limits: int = 0
    decided: bool = False


@dataclass(frozen=True, slots=True)
class GameFinished:
    """The result of a game; committed in one transaction with the ratings that it moves."""

    game_id: int
    finished_at: datetime
    winning_team: str | None
    termination: str
    reason: str
    turn_count: int
    players: Sequence[PlayerFinished]
    game_info: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GameVoided:
    """A game that has no result.

    With `final` no further attempt is made, and the games after it need not wait for it before
    they are rated. Without it the next attempt, at the same place of the tournament with the same
    players and seed, is scheduled in the same transaction.
    """

    game_id: int
    finished_at: datetime
    cause: str
    error: str
    environment_crashed: bool = False
    final: bool = True
    turn_count: int | None = None


@dataclass(frozen=True, slots=True)
class RatingsDue:
    """Rate the tournament's finished games whose turn has come: after a resume, or when games
    were recorded without ratings."""

    tournament_id: int


Record = (
    GameStarted
    | TurnOpened
    | CallIntended
    | CallAnswered
    | TurnActed
    | TurnRefused
    | GameFinished
    | GameVoided
    | RatingsDue
)
