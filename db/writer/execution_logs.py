"""Writes lines of a run's log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.models.columns import clean_text
from db.writer.subject import Record, Rows, Subject, Writing

# What a line is about may have been deleted meanwhile.
_LINE = (
    "INSERT INTO execution_logs (at, level, logger, tournament_id, game_id, agent_id, message) "
    "VALUES (?, ?, ?, ?, (SELECT id FROM games WHERE id = ?), (SELECT id FROM agents WHERE id = ?),"
    " ?)"
)


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of a log: `level` is that of the logging module. `game_id` is 0 for one that is of no
    game."""

    at: datetime
    level: int
    logger: str
    message: str
    tournament_id: int | None = None
    game_id: int = 0
    agent_id: int | None = None


def _line(writing: Writing, record: Logged, following: Record | None) -> Rows:
    return [
        (
            _LINE,
            (
                writing.moment(record.at),
                record.level,
                clean_text(record.logger),
                record.tournament_id,
                record.game_id,
                record.agent_id,
                clean_text(record.message),
            ),
        )
    ]


SUBJECT = Subject(statements=(_LINE,), rows={Logged: _line})
