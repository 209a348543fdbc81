"""Plays one game: the only loop that steps an environment.

It knows no database and no provider. Whoever calls it hands in a log, which records, and a way to
make the `llm` handle of a turn, which reaches a model or the record of one.
"""

from __future__ import annotations

import asyncio
import hashlib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from arena.core import (
    Action,
    Agent,
    ContextOverflow,
    DivergenceError,
    EnvironmentCrash,
    Lapse,
    Observation,
    Outcome,
    Pause,
    ProviderError,
    RecordError,
    Suspend,
    TargetHow,
    Termination,
    TimeLimitReached,
    UsageError,
    VoidCause,
)
from arena.core.execution import always
from arena.core.threads import read_aside
from arena.events.gathering import GatheredEvents
from arena.game.lapses import lapse_of, termination
from arena.game.logs import Acted, GameLog, Handle, HandleFactory
from arena.game.rules import GuardedRules


@dataclass(slots=True)
class PlayerConduct:
    """How one player behaved: its turns, and how many of them had each lapse; `targets`, in which
    it was asked to choose a player, and of them those in which it named several or none; `notes`,
    in which it rewrote its notes, and those whose notes were lost;
    `eliminated_turn`, the turn of the game in which the rules threw it out for an error."""

    turns: int = 0
    silences: int = 0
    refusals: int = 0
    overlongs: int = 0
    time_limits: int = 0
    malfunctions: int = 0
    targets: int = 0
    targets_several: int = 0
    targets_none: int = 0
    notes: int = 0
    notes_lost: int = 0
    eliminated_turn: int | None = None

    def add(self, acted: Acted) -> None:
        """Count one more turn."""
        lapse, notes = acted.lapse, (acted.action.reading or {}).get("notes")
        self.turns += 1
        self.silences += lapse is Lapse.SILENCE
        self.refusals += lapse is Lapse.REFUSAL
        self.overlongs += lapse is Lapse.OVERLONG
        self.time_limits += lapse is Lapse.TIME_LIMIT
        self.malfunctions += lapse is Lapse.MALFUNCTION
        self.targets += acted.how is not None
        self.targets_several += acted.how is TargetHow.SEVERAL
        self.targets_none += acted.how is TargetHow.NONE
        self.notes += notes is not None
        self.notes_lost += notes == "lost"


@dataclass(frozen=True, slots=True)
class Finished:
    """A game with a result. `conduct[i]` is of player_index i, `referee` that of who judged;
    `decided_by` is the player whose
    own error ended the game, if one did; `events` are what happened, as typed facts."""

    outcome: Outcome
    turns: int
    conduct: tuple[PlayerConduct, ...] = ()
    decided_by: int | None = None
    events: GatheredEvents | None = None
    referee: PlayerConduct | None = None


@dataclass(frozen=True, slots=True)
class Voided:
    """A game without a result: `error` is a message or a traceback."""

    cause: VoidCause
    error: str
    turns: int

    @property
    def said(self) -> str:
        """The line that tells most: the last of a traceback, else the first."""
        lines = self.error.strip().splitlines() or [self.cause.value]
        told = (VoidCause.PROVIDER, VoidCause.CONTEXT, VoidCause.DIVERGENCE)
        return lines[0 if self.cause in told else -1]


@dataclass(frozen=True, slots=True)
class Paused:
    """A game that stopped between two commits, and resumes from its record; `reason` is None when
    the run itself is stopping."""

    turns: int
    reason: Pause | None = None


@dataclass(frozen=True, slots=True)
class Suspended:
    """A game whose agent waits for longer than a run should: it resumes from its record in a later
    run. `reason` says for what it waits."""

    turns: int
    reason: str


GameResult = Finished | Voided | Paused | Suspended


def turn_seed(game_seed: int, turn_number: int) -> int:
    """A 31-bit seed for a turn's calls, the same on every machine."""
    digest = hashlib.blake2b(b"%d/%d" % (game_seed, turn_number), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


async def play(
    rules: GuardedRules,
    agents: Sequence[Agent],
    *,
    seed: int,
    llm: HandleFactory,
    log: GameLog,
    turn_limit: int,
    going: Callable[[], bool] = always,
) -> GameResult:
    """Play one game to its end; `agents[i]` sits at player_index i, the referee behind the players.

    The environment is stepped only after the turn is committed. A provider that fails for good, a
    conversation that its model's context does not hold, rules and agents that raise or return amiss
    make the game void; a Pause stops it where it is,
    and so does `going` before a turn. Raises RecordError when the log cannot write, UsageError
    when a model cannot be asked at all (a missing key), and DivergenceError when the log or the
    handle finds that a replay differs.
    """
    turns = 0
    conduct = [PlayerConduct() for _ in agents]
    try:
        rules.reset(seed)
        while turns < turn_limit:
            if not going():
                return Paused(turns)
            observation = rules.observe(turns)
            player = observation.player_index
            turn = log.turn(observation)
            try:
                action, lapse = await _act(
                    agents[player], observation, llm(observation, turn), rules.max_characters
                )
            except TimeLimitReached:
                action, lapse = Action(""), Lapse.TIME_LIMIT
            except ContextOverflow as error:
                if not error.forfeit:
                    await turn.flush()
                    return Voided(VoidCause.CONTEXT, str(error), turns)
                action, lapse = Action(""), Lapse.OVERLONG
            except Pause as reason:
                await turn.flush()
                if isinstance(reason, Suspend):
                    return Suspended(turns, str(reason))
                return Paused(turns, reason)
            except (RecordError, UsageError, DivergenceError):
                raise
            except EnvironmentCrash:
                # What the rules tell of a player goes into its prompt.
                await turn.flush()
                raise
            except ProviderError as error:
                await turn.flush()
                return Voided(VoidCause.PROVIDER, str(error), turns)
            except (Exception, SystemExit):
                await turn.flush()
                return Voided(VoidCause.AGENT, traceback.format_exc(), turns)
            reading = await read_aside(action.text, partial(rules.read, action.text))
            acted = Acted(action, reading.text, lapse, reading.target, reading.how)
            await turn.acted(acted)
            conduct[player].add(acted)
            rules.events.acted(turns, player, action.text, action.reading)
            step = rules.step(reading.text)
            rules.events.stepped(turns, player, invalid=step.invalid, eliminated=step.eliminated)
            if step.eliminated and conduct[player].eliminated_turn is None:
                conduct[player].eliminated_turn = turns
            turns += 1
            if step.invalid:
                turn.refused()
            if step.done:
                return _finished(rules, turns, conduct, player, lapse)
        outcome = rules.outcome(turn_limit=True)
        return _ended(rules, outcome, turns, conduct, None)
    except EnvironmentCrash as crash:
        return Voided(VoidCause.ENVIRONMENT, crash.traceback or str(crash), turns)


async def _act(
    agent: Agent, observation: Observation, llm: Handle, longest: int | None
) -> tuple[Action, Lapse | None]:
    """The agent's action, and what is wrong with it. What the handle raised is raised, also where
    the agent went on without the answer."""
    try:
        action = await agent.act(observation, llm)
    except (Exception, SystemExit):
        if llm.error is not None:
            raise llm.error from None
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # Of work of its own, and nobody has cancelled the game.
        raise RuntimeError("act() awaited something that was cancelled") from error
    finally:
        llm.close()
    if llm.error is not None:
        raise llm.error
    if not isinstance(action, Action):
        raise TypeError(f"act() returned {type(action).__name__}; expected Action")
    answer = llm.last
    lapse = lapse_of(
        action,
        finish_reason=None if answer is None else answer.finish_reason,
        refused=answer is not None and answer.refused,
        max_characters=longest,
    )
    return action, lapse


def _finished(
    rules: GuardedRules,
    turns: int,
    conduct: list[PlayerConduct],
    player: int,
    lapse: Lapse | None,
) -> Finished:
    """The end of a game; an invalid action that decided it is called by the lapse behind it."""
    outcome = rules.outcome()
    decided = player if outcome.termination is Termination.INVALID_ACTION else None
    if decided is not None and conduct[player].eliminated_turn is None:
        conduct[player].eliminated_turn = turns - 1
    outcome = replace(outcome, termination=termination(outcome.termination, lapse))
    return _ended(rules, outcome, turns, conduct, decided)


def _ended(
    rules: GuardedRules,
    outcome: Outcome,
    turns: int,
    conduct: list[PlayerConduct],
    decided: int | None,
) -> Finished:
    players = tuple(conduct[: rules.num_players])
    referee = next(iter(conduct[rules.num_players :]), None)
    return Finished(outcome, turns, players, decided, rules.events.ended(outcome), referee)
