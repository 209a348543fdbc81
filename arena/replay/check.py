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
from arena.core import DivergenceError, Outcome, UsageError
from arena.game.loop import Finished, Paused, Voided, play
from arena.record.reading import Record
from arena.replay.lineage import TURN_LIMIT, cast, lineage, own_options, replies
from db import DatabaseError, Game, Repository, get_session
from db.queries.transcript import transcript


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
    of = lineage(session, game)
    try:
        turns = transcript(session, game_id)
        calls = replies(session, of, turns)
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
    played = cast(session, of, stored)
    try:
        result = await play(
            environment,
            played.seats(),
            seed=game.seed,
            llm=played.handles(record, of),
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
