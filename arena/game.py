"""Plays one game: the only loop that steps an environment.

It knows no database and no provider. Whoever calls it hands in a log, which records, and a way to
make the `llm` handle of a turn, which reaches a model or the record of one.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from arena.core import (
    LLM,
    Action,
    Agent,
    CallLog,
    DivergenceError,
    Environment,
    EnvironmentCrash,
    ModelSpec,
    Observation,
    Outcome,
    ProviderError,
    RecordError,
    UsageError,
    VoidCause,
)


class TurnLog(CallLog, Protocol):
    """Where one turn is recorded."""

    async def acted(self, action: Action, submitted: str) -> None:
        """Returns when the turn, its calls and its action are committed."""
        ...

    def refused(self) -> None:
        """The rules refused the action; committed with whatever comes next."""
        ...

    async def flush(self) -> None:
        """Commits what was taken but not yet written: the game stops in this turn."""
        ...


class GameLog(Protocol):
    """Where one game's turns are recorded."""

    def turn(self, observation: Observation) -> TurnLog: ...


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent at its place, and the model that its calls go to."""

    agent: Agent
    model: ModelSpec


@dataclass(frozen=True, slots=True)
class Finished:
    """A game with a result."""

    outcome: Outcome
    turns: int


@dataclass(frozen=True, slots=True)
class Voided:
    """A game without a result: `error` is a message or a traceback."""

    cause: VoidCause
    error: str
    turns: int


LLMFactory = Callable[[ModelSpec, CallLog, int], LLM]
"""Makes the handle of one turn from the model, the turn's log and the turn's seed."""


def turn_seed(game_seed: int, turn_number: int) -> int:
    """A 31-bit seed for a turn's calls, the same on every machine."""
    digest = hashlib.blake2b(b"%d/%d" % (game_seed, turn_number), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


async def play(
    environment: Environment,
    seats: Sequence[Seat],
    *,
    seed: int,
    llm: LLMFactory,
    log: GameLog,
    turn_limit: int,
) -> Finished | Voided:
    """Play one game to its end; `seats[i]` sits at player_index i.

    The environment is stepped only after the turn is committed. A provider that fails for good, an
    environment that raises and an agent that raises make the game void. Raises RecordError when
    the log cannot write, UsageError when a model cannot be asked at all (a missing key), and
    DivergenceError when the log or the handle finds that a replay differs.
    """
    turns = 0
    try:
        environment.reset(seed=seed, num_players=len(seats))
        while turns < turn_limit:
            observation = environment.observe()
            seat = seats[observation.player_index]
            turn = log.turn(observation)
            handle = llm(seat.model, turn, turn_seed(seed, turns))
            try:
                action = await seat.agent.act(observation, handle)
            except (RecordError, UsageError, DivergenceError):
                raise
            except ProviderError as error:
                await turn.flush()
                return Voided(VoidCause.PROVIDER, str(error), turns)
            except Exception:
                await turn.flush()
                return Voided(VoidCause.AGENT, traceback.format_exc(), turns)
            submitted = environment.prepare(action.text)
            await turn.acted(action, submitted)
            step = environment.step(submitted)
            turns += 1
            if step.invalid:
                turn.refused()
            if step.done:
                return Finished(environment.outcome(), turns)
        return Finished(environment.outcome(turn_limit=True), turns)
    except EnvironmentCrash as crash:
        return Voided(VoidCause.ENVIRONMENT, crash.traceback or str(crash), turns)
