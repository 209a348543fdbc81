"""Plays a recorded game again, no model called, and says where it differs from its record.

Agents, prompts and rules are the real ones: the replies come from the record, and every
observation, request, action and the outcome must come out as they were recorded.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from arena import registry
from arena.core import Outcome, UsageError, VoidCause
from arena.game.loop import Finished, Voided
from arena.game.task import play_task
from arena.record.reading import recorded
from arena.replay.lineage import lineage, own_options, replies, task
from db import DatabaseError, Game, Repository, Session, get_session
from db.database import Source
from db.queries.transcript import transcript


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found: how many turns were the same, and the first difference for people."""

    game_id: int
    turns: int
    ok: bool
    first_difference: str | None = None


def check(game_id: int, url: Source = None) -> ReplayReport:
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
        return _check(session, game, game_id)


def _check(session: Session, game: Game, game_id: int) -> ReplayReport:
    stored = game.environment
    if stored is None or game.seed is None:
        raise UsageError(
            f"game {game_id} has no environment or no seed on record: it cannot be played again"
        )
    registry.environment(stored.name, own_options(stored))
    of = lineage(session, game)
    try:
        rows = transcript(session, game_id)
        calls = replies(session, of, rows)
    except DatabaseError as error:
        return ReplayReport(game_id, 0, False, f"the record cannot be read whole: {error}")
    turns = [turn for turn in recorded(rows, calls) if turn.action is not None]
    result = asyncio.run(play_task(task(session, of, stored, turns, longest=len(turns))))
    match result:
        case Finished():
            difference = _difference(game, result, len(turns))
        case Voided(cause=VoidCause.DIVERGENCE):
            difference = result.error
        case Voided():
            difference = f"the game went void ({result.cause}): {result.error}"
        case _:
            difference = f"the game stops: {result.reason}"
    return ReplayReport(game_id, result.turns, difference is None, difference)


def _difference(game: Game, result: Finished, turns: int) -> str | None:
    """Where the end of the game is not that of its row, if anywhere."""
    if result.turns != turns:
        return f"the game ends after {result.turns} turns, on record are {turns}"
    before, now = _result(game), _outcome(result.outcome)
    for name, was in before.items():
        if was != now[name]:
            return f"{name} is {now[name]!r}, on record is {was!r}"
    return None


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
