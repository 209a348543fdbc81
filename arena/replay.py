"""Plays a recorded game again, no model called, and says where it differs from its record.

Agents, prompts and rules are the real ones: the replies come from the record, and every
observation, request, action and the outcome must come out as they were recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from arena import registry
from arena.core import (
    LLM,
    Action,
    CallAnswer,
    CallIntent,
    CallLog,
    DivergenceError,
    ModelSpec,
    Observation,
    Outcome,
    UsageError,
)
from arena.game import Finished, Seat, Voided, play
from arena.llm.replay import RecordedCall, ReplayLLM, text_difference
from arena.orchestrator.catalogue import agent_spec
from arena.orchestrator.run import seat
from db import DatabaseError, Game, Repository, get_session
from db.queries.transcript import CallRow, TurnRow, transcript

TURN_LIMIT = "turn_limit"


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found: how many turns were the same, and the first difference for people."""

    game_id: int
    turns: int
    ok: bool
    first_difference: str | None = None


def check(game_id: int, url: str | Path | None = None) -> ReplayReport:
    """Play the record of a completed game again and compare.

    Raises UsageError for a game that is not there, has no result, or was not played by the arena
    (no environment, no seed), and for rules or kinds that are not installed.
    """
    with get_session(url, create=False) as session:
        game = Repository(session).get_game_by_id(game_id, with_relations=True)
        if game is None:
            raise UsageError(f"there is no game {game_id}; `arena games` lists them")
        if game.status != "completed":
            raise UsageError(
                f"game {game_id} is {game.status}: only a completed game can be checked"
            )
        return asyncio.run(_check(session, game, game_id))


async def _check(session: Session, game: Game, game_id: int) -> ReplayReport:
    stored = game.environment
    if stored is None or game.seed is None:
        raise UsageError(
            f"game {game_id} has no environment or no seed on record: it cannot be played again"
        )
    options = {name: value for name, value in stored.options.items() if name != TURN_LIMIT}
    environment = registry.environment(stored.name, options)()
    try:
        turns = transcript(session, game_id)
    except DatabaseError as error:
        return ReplayReport(game_id, 0, False, f"the record cannot be read whole: {error}")
    record = Record([turn for turn in turns if turn.action is not None])
    if (environment.spec.package, environment.spec.version) != (stored.package, stored.version):
        return ReplayReport(
            game_id,
            0,
            False,
            f"the rules were {stored.package} {stored.version}, installed are "
            f"{environment.spec.package} {environment.spec.version}",
        )
    seats = [
        _seat(session, player.agent_id, player.player_index, stored.name, stored.num_players)
        for player in game.players
    ]
    try:
        result = await play(
            environment,
            seats,
            seed=game.seed,
            llm=record.handle,
            log=record,
            turn_limit=stored.options.get(TURN_LIMIT, len(record.turns)),
        )
        if isinstance(result, Voided):
            raise DivergenceError(f"the game went void ({result.cause}): {result.error}")
        record.finish(game, result)
    except DivergenceError as error:
        return ReplayReport(game_id, record.done, False, str(error))
    return ReplayReport(game_id, record.done, True)


def _seat(
    session: Session, agent_id: int, player_index: int, environment: str, num_players: int
) -> Seat:
    row = Repository(session).get_agent_by_id(agent_id, with_relations=True)
    if row is None:
        raise UsageError(f"there is no agent {agent_id} in the catalogue")
    spec = agent_spec(row)
    kind = registry.kind(spec.kind)
    if kind.version != spec.kind_version:
        raise UsageError(
            f"the agent {spec.name!r} was played by {spec.kind} version {spec.kind_version}, "
            f"installed is version {kind.version}"
        )
    return seat(spec, kind, player_index, environment=environment, num_players=num_players)


class Record:
    """The record of a game as its log: it compares where another log would write."""

    def __init__(self, turns: Sequence[TurnRow]) -> None:
        self.turns = turns
        self.done = 0
        self._replies: ReplayLLM | None = None
        self._refused: set[int] = set()

    def turn(self, observation: Observation) -> RecordedTurn:
        number = observation.turn_number
        self._settle()
        if number >= len(self.turns):
            raise DivergenceError(f"turn {number}: the game goes on, the record ends")
        recorded = self.turns[number]
        place = f"turn {number}, player {recorded.player_index}"
        if observation.player_index != recorded.player_index:
            raise DivergenceError(f"{place}: player {observation.player_index} is up now")
        if observation.text != recorded.observation:
            difference = text_difference(recorded.observation, observation.text)
            raise DivergenceError(f"{place}: the observation differs {difference}")
        return RecordedTurn(self, recorded, place)

    def handle(self, model: ModelSpec, log: CallLog, seed: int) -> LLM:
        assert isinstance(log, RecordedTurn)
        self._replies = ReplayLLM(model, _answered(log.recorded.calls), seed=seed, place=log.place)
        return self._replies

    def acted(self, turn: RecordedTurn, action: Action, submitted: str) -> None:
        """Compare an action, and count the turn as replayed."""
        recorded = turn.recorded
        for what, before, now in (
            ("the action", recorded.action or "", action.text),
            ("what the rules are given", recorded.submitted or "", submitted),
        ):
            if before != now:
                raise DivergenceError(
                    f"{turn.place}: {what} differs {text_difference(before, now)}"
                )
        if self._replies is not None and (unasked := self._replies.unasked()):
            raise DivergenceError(f"{turn.place}: {unasked} recorded calls were not asked")
        self.done += 1

    def refuse(self, turn_number: int) -> None:
        self._refused.add(turn_number)

    def finish(self, game: Game, result: Finished) -> None:
        """Compare the end of the game with its row."""
        self._settle()
        if result.turns != len(self.turns):
            raise DivergenceError(
                f"the game ends after {result.turns} turns, on record are {len(self.turns)}"
            )
        recorded, now = _result(game), _outcome(result.outcome)
        for name, before in recorded.items():
            if before != now[name]:
                raise DivergenceError(f"{name} is {now[name]!r}, on record is {before!r}")

    def _settle(self) -> None:
        """What the rules refused must be what they refused when it was played."""
        if self.done:
            recorded = self.turns[self.done - 1]
            refused = recorded.turn_number in self._refused
            if refused != recorded.invalid:
                said = ("accepted", "refused")
                raise DivergenceError(
                    f"turn {recorded.turn_number}, player {recorded.player_index}: the action is "
                    f"{said[refused]} now, was {said[recorded.invalid]}"
                )


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """One turn of a record (`arena.game.TurnLog`)."""

    record: Record
    recorded: TurnRow
    place: str

    async def intend(self, intent: CallIntent) -> None:
        raise DivergenceError(f"{self.place}: a model was about to be called")

    async def answer(self, answer: CallAnswer) -> None:
        raise DivergenceError(f"{self.place}: a model was called")

    async def acted(self, action: Action, submitted: str) -> None:
        self.record.acted(self, action, submitted)

    def refused(self) -> None:
        self.record.refuse(self.recorded.turn_number)

    async def flush(self) -> None:
        """Nothing is held back."""


def _answered(calls: Sequence[CallRow]) -> list[RecordedCall]:
    """The calls that brought an answer; a call that failed at first has later attempts."""
    return [
        RecordedCall(
            call_number=call.call_number,
            request_hash=call.request_hash or "",
            messages=call.messages,
            text=call.text or "",
            finish_reason=call.finish_reason,
        )
        for call in calls
        if call.answered and call.error_class is None
    ]


def _result(game: Game) -> dict[str, object]:
    return {
        "termination": game.termination,
        "winning_team": game.winning_team,
        "reason": game.reason,
        "players": [
            (p.player_index, p.role, p.team, p.rank, p.reward, p.invalid_actions)
            for p in game.players
        ],
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {
        "termination": outcome.termination.value,
        "winning_team": outcome.winning_team,
        "reason": outcome.reason,
        "players": [
            (p.player_index, p.role, p.team, p.rank, p.reward, p.invalid_actions)
            for p in outcome.players
        ],
    }
