"""Counts the positions that a game came to when it is finished, in the transaction that finishes
it."""

from __future__ import annotations

from collections.abc import Sequence

from db.codec import to_json
from db.writer.games import GameFinished, PositionRow
from db.writer.subject import Ended, Subject, Writing

COUNT = (
    "INSERT INTO position_counts (tournament_id, name, team, games, won) VALUES (?, ?, ?, 1, ?) "
    "ON CONFLICT (tournament_id, name) DO UPDATE SET games = position_counts.games + 1, "
    "won = position_counts.won + excluded.won"
)
_NAMES = "UPDATE games SET positions = ? WHERE id = ?"


def names_of(positions: Sequence[PositionRow]) -> str:
    """The positions of a game as its row keeps them: a JSON list of [name, team]."""
    return to_json([[*position] for position in positions])


def _count(writing: Writing, ended: Ended) -> None:
    record = ended.record
    if ended.again or not isinstance(record, GameFinished) or record.positions is None:
        return
    rows = [
        (ended.tournament_id, name, team, int(team == record.winning_team))
        for name, team in sorted(record.positions)
    ]
    names = (names_of(record.positions), record.game_id)
    writing.connection.run([*([(COUNT, rows)] if rows else []), (_NAMES, [names])])


SUBJECT = Subject(follows=_count)
