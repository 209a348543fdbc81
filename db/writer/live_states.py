"""Writes where the live ratings of a tournament stand."""

from __future__ import annotations

from dataclasses import dataclass

from db.writer.subject import Record, Rows, Subject, Writing

_KEEP = (
    "INSERT INTO live_states (tournament_id, version, place, attempts, body) VALUES (?, ?, ?, "
    "(SELECT COUNT(*) FROM games WHERE tournament_id = ? AND schedule_index < ?), ?) "
    "ON CONFLICT (tournament_id) DO UPDATE SET version = excluded.version, "
    "place = excluded.place, attempts = excluded.attempts, body = excluded.body"
)


@dataclass(frozen=True, slots=True)
class LiveStateReached:
    """The live ratings of a tournament after the first `place` places of its schedule; `game_id`
    is the game that was settled last."""

    game_id: int
    tournament_id: int
    version: int
    place: int
    body: bytes


def _reached(writing: Writing, record: LiveStateReached, following: Record | None) -> Rows:
    key, place = record.tournament_id, record.place
    return [(_KEEP, (key, record.version, place, key, place, record.body))]


SUBJECT = Subject(statements=(_KEEP,), rows={LiveStateReached: _reached})
