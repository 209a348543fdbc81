"""Writes that a game is paused, and that it goes on: no status of a game changes with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.models.columns import clean_text
from db.writer.subject import Record, Rows, Subject, Writing

_LONGEST = 500  # characters of a reason
_MOVED = (
    "INSERT INTO game_states (game_id, status, reason, actor, at) "
    "SELECT g.id, ?, ?, COALESCE((SELECT 'run ' || l.fence FROM leases l "
    "WHERE l.tournament_id = g.tournament_id AND l.holder IS NOT NULL), "
    "CASE WHEN g.tournament_id IS NULL AND g.parent_game_id IS NOT NULL THEN 'branches' "
    "ELSE 'hand' END), ? FROM games g WHERE g.id = ? AND g.status = 'running' "
    "AND NOT EXISTS (SELECT 1 FROM game_states s WHERE s.game_id = g.id AND s.at = ?)"
)


@dataclass(frozen=True, slots=True)
class GamePaused:
    """A game that is being played stops where it is, `at` a time; `reason` says why."""

    game_id: int
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class GameResumed:
    """A game that an earlier run had begun, or that was paused, is played on."""

    game_id: int
    at: datetime
    reason: str


def _rows(status: str, writing: Writing, record: GamePaused | GameResumed) -> Rows:
    at = writing.time(record.at)
    reason = clean_text(record.reason)[:_LONGEST]
    return [(_MOVED, (status, reason, at, record.game_id, at))]


def _paused(writing: Writing, record: GamePaused, following: Record | None) -> Rows:
    return _rows("paused", writing, record)


def _resumed(writing: Writing, record: GameResumed, following: Record | None) -> Rows:
    return _rows("running", writing, record)


SUBJECT = Subject(statements=(_MOVED,), rows={GamePaused: _paused, GameResumed: _resumed})
