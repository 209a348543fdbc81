"""Plays one game: the only loop that steps an environment.

It knows no database and no provider. Whoever calls it hands in a log, which records, and a way to
make the `llm` handle of a turn, which reaches a model or the record of one.
"""

from __future__ import annotations

import hashlib
import math
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from arena.core import (
    Action,
    Agent,
    Completion,
    DivergenceError,
    Environment,
    EnvironmentCrash,
    Lapse,
    ModelSpec,
    Outcome,
    Pause,
    ProviderError,
    RecordError,
    Termination,
    TimeLimitReached,
    UsageError,
    VoidCause,
)
from arena.game.lapses import lapse_of, termination
from arena.game.logs import Acted, GameLog, HandleFactory


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent at its place, and the model that its calls go to."""

    agent: Agent
    model: ModelSpec


@dataclass(slots=True)
class Conduct:
    """How one player behaved: its turns, and how many of them had each lapse."""

    turns: int = 0
    silences: int = 0
    refusals: int = 0
    overlongs: int = 0
    time_limits: int = 0

    def add(self, lapse: Lapse | None) -> None:
        """Count one more turn."""
        self.turns += 1
        self.silences += lapse is Lapse.SILENCE
        self.refusals += lapse is Lapse.REFUSAL
        self.overlongs += lapse is Lapse.OVERLONG
        self.time_limits += lapse is Lapse.TIME_LIMIT


@dataclass(frozen=True, slots=True)
class Finished:
    """A game with a result. `conduct[i]` is of player_index i; `decided_by` is the player whose
    own error ended the game, if one did."""

    outcome: Outcome
    turns: int
    conduct: tuple[Conduct, ...] = ()
    decided_by: int | None = None


@dataclass(frozen=True, slots=True)
class Voided:
    """A game without a result: `error` is a message or a traceback."""

    cause: VoidCause
    error: str
    turns: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A game that was stopped between two commits, to be gone on with from its record; `reason`
    is None when the run itself is stopping."""

    turns: int
    reason: Pause | None = None


def always() -> bool:
    """A game that nothing stops."""
    return True


def turn_seed(game_seed: int, turn_number: int) -> int:
    """A 31-bit seed for a turn's calls, the same on every machine."""
    digest = hashlib.blake2b(b"%d/%d" % (game_seed, turn_number), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


async def play(
    environment: Environment,
    seats: Sequence[Seat],
    *,
    seed: int,
    llm: HandleFactory,
    log: GameLog,
    turn_limit: int,
    going: Callable[[], bool] = always,
) -> Finished | Voided | Paused:
    """Play one game to its end; `seats[i]` sits at player_index i.

    The environment is stepped only after the turn is committed. A provider that fails for good, an
    environment that raises and an agent that raises make the game void; a Pause stops it where it
    is, and so does `going` before a turn. Raises RecordError when the log cannot write, UsageError
    when a model cannot be asked at all (a missing key), and DivergenceError when the log or the
    handle finds that a replay differs.
    """
    turns = 0
    conduct = [Conduct() for _ in seats]
    try:
        environment.reset(seed=seed, num_players=len(seats))
        longest = environment.spec.max_characters
        while turns < turn_limit:
            if not going():
                return Paused(turns)
            observation = environment.observe()
            player = observation.player_index
            turn = log.turn(observation)
            handle = llm(seats[player].model, turn, turns)
            try:
                action = await seats[player].agent.act(observation, handle)
                lapse = _lapse(action, handle.last, longest)
            except TimeLimitReached:
                action, lapse = Action(""), Lapse.TIME_LIMIT
            except Pause as reason:
                await turn.flush()
                return Paused(turns, reason)
            except (RecordError, UsageError, DivergenceError):
                raise
            except ProviderError as error:
                await turn.flush()
                return Voided(VoidCause.PROVIDER, str(error), turns)
            except Exception:
                await turn.flush()
                return Voided(VoidCause.AGENT, traceback.format_exc(), turns)
            submitted = environment.prepare(action.text)
            await turn.acted(Acted(action, submitted, lapse))
            conduct[player].add(lapse)
            step = environment.step(submitted)
            turns += 1
            if step.invalid:
                turn.refused()
            if step.done:
                return _finished(_outcome(environment), turns, conduct, player, lapse)
        return Finished(_outcome(environment, turn_limit=True), turns, tuple(conduct))
    except EnvironmentCrash as crash:
        return Voided(VoidCause.ENVIRONMENT, crash.traceback or str(crash), turns)


def _lapse(action: Action, answer: Completion | None, longest: int | None) -> Lapse | None:
    return lapse_of(
        action.text,
        finish_reason=None if answer is None else answer.finish_reason,
        refused=answer is not None and answer.refused,
        max_characters=longest,
    )


def _outcome(environment: Environment, *, turn_limit: bool = False) -> Outcome:
    """Raises EnvironmentCrash for a reward that is no number: its ranks cannot be trusted."""
    outcome = environment.outcome(turn_limit=turn_limit)
    for player in outcome.players:
        if not math.isfinite(player.reward):
            raise EnvironmentCrash(
                f"{environment.spec.name} gave player {player.player_index} the reward "
                f"{player.reward}, which is no number",
                "",
            )
    return outcome


def _finished(
    outcome: Outcome, turns: int, conduct: list[Conduct], player: int, lapse: Lapse | None
) -> Finished:
    """The end of a game; an invalid action that decided it is called by the lapse behind it."""
    decided = player if outcome.termination is Termination.INVALID_ACTION else None
    outcome = replace(outcome, termination=termination(outcome.termination, lapse))
    return Finished(outcome, turns, tuple(conduct), decided)
