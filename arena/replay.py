"""Plays a recorded game again, no model called, and says where it differs from its record.

Agents, prompts and rules are the real ones: the replies come from the record, and every
observation, request, action and the outcome must come out as they were recorded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from arena import registry
from arena.core import CallLog, DivergenceError, ModelSpec, Outcome, UsageError
from arena.game import (
    Finished,
    Handle,
    HandleFactory,
    Paused,
    Seat,
    Voided,
    play,
    turn_seed,
)
from arena.llm.turn import TurnLLM
from arena.orchestrator.catalogue import agent_spec
from arena.orchestrator.seating import seat
from arena.record import Record
from db import DatabaseError, Environment, Game, Repository, get_session
from db.queries.transcript import TurnRow, transcript

TURN_LIMIT = "turn_limit"
TIME_LIMIT = "time_limit"


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
    environment = registry.environment(stored.name, own_options(stored))()
    try:
        turns = transcript(session, game_id)
        calls = replies(session, game, turns)
    except DatabaseError as error:
        return ReplayReport(game_id, 0, False, f"the record cannot be read whole: {error}")
    record = Record([turn for turn in turns if turn.action is not None], calls)
    if (environment.spec.package, environment.spec.version) != (stored.package, stored.version):
        return ReplayReport(
            game_id,
            0,
            False,
            f"the rules were {stored.package} {stored.version}, installed are "
            f"{environment.spec.package} {environment.spec.version}",
        )
    seats = [
        seated(session, player.agent_id, player.player_index, stored) for player in game.players
    ]
    try:
        result = await play(
            environment,
            seats,
            seed=game.seed,
            llm=_handles(record, game, stored),
            log=record,
            turn_limit=stored.options.get(TURN_LIMIT, len(record.turns)),
        )
        if isinstance(result, Voided):
            raise DivergenceError(f"the game went void ({result.cause}): {result.error}")
        assert not isinstance(result, Paused)
        _compare(record, game, result)
    except DivergenceError as error:
        return ReplayReport(game_id, record.done, False, str(error))
    return ReplayReport(game_id, record.done, True)


def _handles(record: Record, game: Game, rules: Environment) -> HandleFactory:
    def handle(model: ModelSpec, turn: CallLog, number: int) -> Handle:
        served = TurnLLM(
            None,
            model,
            turn,
            call_seed_of(game, number),
            recorded=record.calls(number),
            place=record.place(number),
            time_limit=rules.options.get(TIME_LIMIT),
        )
        record.handle = served
        return served

    return handle


def own_options(rules: Environment) -> dict[str, object]:
    """The options that the environment itself takes, without the arena's."""
    ours = (TURN_LIMIT, TIME_LIMIT)
    return {name: value for name, value in rules.options.items() if name not in ours}


def call_seed_of(game: Game, turn_number: int) -> int:
    """The seed of a turn's calls. After its first turn of its own, each branch has others than
    its parent: a model that is asked with a seed would else always answer the same."""
    assert game.seed is not None
    if game.parent_game_id is None or turn_number < (game.parent_turn or 0):
        return turn_seed(game.seed, turn_number)
    return turn_seed(game.seed + (game.attempt + 1 << 64), turn_number)


def replies(session: Session, game: Game, turns: list[TurnRow]) -> list[TurnRow]:
    """The turns that hold the calls: before its branching, a branch was played from the calls of
    the game that it comes from. Raises DatabaseError for rows that cannot be read."""
    if game.parent_game_id is None or game.parent_turn is None:
        return turns
    parent = session.get(Game, game.parent_game_id)
    if parent is None:
        return turns
    earlier = replies(session, parent, transcript(session, game.parent_game_id))
    return [*earlier[: game.parent_turn], *turns[game.parent_turn :]]


def seated(session: Session, agent_id: int, player_index: int, rules: Environment) -> Seat:
    """The agent of the catalogue at its place. Raises UsageError when it or its kind is not
    there in the version that played."""
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
    return seat(spec, kind, player_index, environment=rules.name, num_players=rules.num_players)


def _compare(record: Record, game: Game, result: Finished) -> None:
    """The end of the game must be that of its row. Raises DivergenceError."""
    record.settle()
    if result.turns != len(record.turns):
        raise DivergenceError(
            f"the game ends after {result.turns} turns, on record are {len(record.turns)}"
        )
    recorded, now = _result(game), _outcome(result.outcome)
    for name, before in recorded.items():
        if before != now[name]:
            raise DivergenceError(f"{name} is {now[name]!r}, on record is {before!r}")


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
