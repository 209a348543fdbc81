"""A game to be played, as plain data, and how it is played through three ports.

A task holds all that the game is: it can be pickled, sent to another process or machine, and played
there by the same code. What it needs of the outside goes through its ports.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena import registry
from arena.core import (
    DivergenceError,
    Environment,
    EnvironmentCrash,
    Observation,
    UsageError,
    VoidCause,
)
from arena.core.execution import always
from arena.core.memory import Memory
from arena.core.people import PERSON, GivenAnswer
from arena.game.ending import tell_end
from arena.game.journal import Journal, LiveLog
from arena.game.logs import Handle, TurnLog
from arena.game.loop import Finished, GameResult, Voided, play, turn_seed
from arena.game.replayed import GameRecord, RecordedTurn, ReplayedTurn, TaskLog
from arena.game.rules import GuardedRules
from arena.game.seating import Sitter, seat, sitting, toolbox
from arena.llm.cache import Answers
from arena.llm.clearance import Clearance
from arena.llm.overflow import ContextLimit, OverflowPolicy
from arena.llm.request_hash import HashChain
from arena.llm.tool_turn import ToolTurn
from arena.llm.toolbox import Toolbox
from arena.llm.turn import ModelClient, TurnLLM


@dataclass(frozen=True, slots=True)
class GameTask:
    """One game to be played, or to be played on.

    `environment` is a registered name with its `options`; `rules` are the package and the version
    that the game was begun under, None where they may be any, and `revision` how they are put to
    the players, None for the latest. `players[i]` are the agents that follow each other at
    player_index i, the first from turn 0; `referee` are those that follow each other as the
    referee, where the rules ask one. `turn_limit` is in turns, `time_limit` in seconds of
    answers a turn; `overflow` is what a conversation does that is longer than a model's context.
    `call_seeds` are (turn, seed): what the seeds of calls follow from, from that turn on; where
    none stands it is the game's `seed`.

    `recorded` are the turns that are replayed first. With `copied` they are another game's: they
    are written into this game's journal, without the calls. `given` are the answers of people to
    turns of the game. `memories` are what the first agents at each player_index know of earlier
    games, none where nobody does; a memory on record comes before them.
    """

    environment: str
    seed: int
    players: tuple[tuple[Sitter, ...], ...]
    turn_limit: int
    options: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[str, str] | None = None
    revision: int | None = None
    time_limit: float | None = None
    overflow: OverflowPolicy = OverflowPolicy.VOID
    call_seeds: tuple[tuple[int, int], ...] = ()
    referee: tuple[Sitter, ...] = ()
    recorded: tuple[RecordedTurn, ...] = ()
    copied: bool = False
    given: tuple[GivenAnswer, ...] = ()
    memories: tuple[Memory | None, ...] = ()

    @property
    def seats(self) -> tuple[tuple[Sitter, ...], ...]:
        """Who sits at each player_index, the referee behind the players."""
        return (*self.players, self.referee) if self.referee else self.players

    def memory(self, player_index: int) -> Memory | None:
        """What the first agent at a place is given of earlier games."""
        turns = (turn for turn in self.recorded if turn.player_index == player_index)
        first = next(turns, None)
        if first is not None and first.memory is not None:
            return first.memory
        return self.memories[player_index] if player_index < len(self.memories) else None

    def call_seed(self, turn_number: int) -> int:
        """The seed of a turn's calls."""
        due = [seed for turn, seed in self.call_seeds if turn <= turn_number]
        return turn_seed(due[-1] if due else self.seed, turn_number)


@dataclass(frozen=True, slots=True)
class Ports:
    """How a task reaches the outside. Plain data passes through three of them: the `journal`, the
    `clearance` of calls, and the `answers` that are on record already, if any are looked for. The
    `client` asks providers from the process in which the game is played."""

    journal: Journal
    clearance: Clearance
    client: ModelClient
    answers: Answers | None = None


async def play_task(task: GameTask, ports: Ports | None = None) -> GameResult:
    """Play a task to its end, or until it stops.

    Without ports nothing is written and nobody is asked: the record must hold the whole game. A
    game that differs from its record is void (DIVERGENCE), and `turns` are those that were the
    same. Raises RecordError when the journal cannot write, and UsageError when the task cannot be
    played here at all: a name that is not installed, a prompt that cannot be filled in, a key that
    is missing.
    """
    live = None if ports is None else LiveLog(ports.journal)
    record = GameRecord(task.recorded)
    try:
        result = await _play(task, ports, record, live)
    except DivergenceError as error:
        result = Voided(VoidCause.DIVERGENCE, str(error), record.done)
    if live is not None:
        await live.append()
    return result


async def _play(
    task: GameTask, ports: Ports | None, record: GameRecord, live: LiveLog | None
) -> GameResult:
    try:
        rules = rules_of(task)
    except EnvironmentCrash as crash:
        return Voided(VoidCause.ENVIRONMENT, crash.traceback, 0)
    if rules.seats != len(task.seats):
        wanted = "asks a referee" if rules.seats > len(task.players) else "asks no referee"
        raise UsageError(f"{task.environment} {wanted}, and the game has {len(task.seats)} seats")
    seats = [
        seat(
            sitters,
            index,
            environment=task.environment,
            rules=rules,
            memory=task.memory(index),
        )
        for index, sitters in enumerate(task.seats)
    ]
    try:
        agents = [agent() for agent in seats]
    except (Exception, SystemExit):
        return Voided(VoidCause.AGENT, traceback.format_exc(), 0)

    boxes: dict[tuple[int, int], Toolbox | None] = {}
    limits: dict[tuple[int, int], ContextLimit] = {}
    hashes: dict[tuple[int, int], HashChain] = {}

    def handle(observation: Observation, turn: TurnLog) -> Handle:
        number, player = observation.turn_number, observation.player_index
        sitter = sitting(task.seats[player], number)
        place = player, sitter.turn
        asking = None if isinstance(turn, ReplayedTurn) else ports
        llm = TurnLLM(
            None if asking is None else asking.client,
            sitter.agent.model,
            turn,
            task.call_seed(number),
            recorded=record.calls(number),
            place=record.place(number),
            # A person's time is its own, and counted from when it was asked.
            time_limit=None if sitter.agent.model.provider == PERSON else task.time_limit,
            clearance=None if asking is None else asking.clearance,
            answers=None if asking is None else asking.answers,
            limit=limits.setdefault(place, ContextLimit(task.overflow)),
            hashes=hashes.setdefault(place, HashChain()),
            given=next((g for g in task.given if g.turn_number == number), None),
        )
        box = boxes.get(place)
        if place not in boxes:
            box = boxes[place] = toolbox(sitter.agent)
        record.handle = llm
        if box is not None:
            record.handle = ToolTurn(
                llm,
                box,
                turn,
                observation,
                recorded=record.tools(number),
                live=asking is not None,
            )
        return record.handle

    try:
        result = await play(
            rules,
            agents,
            seed=task.seed,
            llm=handle,
            log=TaskLog(record, live, copied=task.copied),
            turn_limit=task.turn_limit,
            going=always if ports is None else ports.journal.wanted,
        )
    finally:
        for box in boxes.values():
            if box is not None:
                await box.aclose()
    record.settle()
    # Of a game whose last turn is on record it was told when that was played.
    if ports is not None and isinstance(result, Finished) and result.turns > len(task.recorded):
        await tell_end(ports.client, result, agents, task.seats)
    return result


def lost_again(task: GameTask) -> Voided:
    """What a task comes to whose processes end again and again before its next turn."""
    return Voided(
        VoidCause.INTERRUPTED,
        "the worker processes in which it was played have ended, one after the other, before its "
        f"next turn: turn {len(task.recorded)} may be what ends them",
        len(task.recorded),
    )


def rules_of(task: GameTask) -> GuardedRules:
    """The rules of a task's game, in its version and revision. Raises DivergenceError where those
    are not what is installed, EnvironmentCrash when they cannot be made."""
    factory = registry.load("environments", task.environment)

    def make(**revision: int) -> Environment:
        environment: Environment = factory(name=task.environment, **task.options, **revision)
        return environment

    rules = GuardedRules(make, len(task.players))
    if task.rules is not None and rules.source != task.rules:
        raise DivergenceError(
            f"the rules were {' '.join(task.rules)}, installed are {' '.join(rules.source)}"
        )
    if task.revision in (None, rules.revision):
        return rules
    try:
        earlier = GuardedRules(lambda: make(revision=task.revision or 1), len(task.players))
    except EnvironmentCrash:
        # What knows one revision alone takes no such argument.
        earlier = rules
    if earlier.revision != task.revision:
        raise DivergenceError(
            f"the game was begun in revision {task.revision} of {task.environment}, and what is "
            f"installed knows revision {rules.revision}: install what it was begun with"
        )
    return earlier
