"""What runs say of themselves, and the games that are being played."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select, text
from sqlmodel import Session, col

from db.models import TournamentLease


@dataclass(frozen=True, slots=True)
class ToldRow:
    """What the run of a tournament said last, `at` a time of its own clock."""

    tournament_id: int
    at: datetime
    told: Mapping[str, Any]


def told_by_runs(session: Session, keys: Iterable[int]) -> dict[int, ToldRow]:
    """What the runs of these tournaments said last, by tournament_id; of those that never said
    anything nothing."""
    query: Any = select(
        col(TournamentLease.tournament_id), col(TournamentLease.told_at), col(TournamentLease.told)
    ).where(col(TournamentLease.tournament_id).in_([*keys]), col(TournamentLease.told).is_not(None))
    return {int(key): ToldRow(int(key), at, told) for key, at, told in session.execute(query)}


class OpenGame(NamedTuple):
    """A game that was begun and has not ended: its place in the schedule, and the number of its
    newest turn, None before the first."""

    game_id: int
    schedule_index: int | None
    attempt: int
    turn: int | None


# CROSS JOIN says the order in which SQLite reads the tables; a key of a turn holds its game.
_OPEN = text(
    "SELECT g.id, g.schedule_index, g.attempt, (SELECT MAX(t.id) FROM game_turns t "
    "WHERE t.id >= g.id * 16777216 AND t.id < (g.id + 1) * 16777216) FROM games g "
    "WHERE g.tournament_id = :tournament AND g.status = 'running' ORDER BY g.id LIMIT :most"
)


def games_being_played(session: Session, tournament_id: int, most: int) -> list[OpenGame]:
    """At most so many games of a tournament that were begun, the oldest first."""
    values = {"tournament": tournament_id, "most": most}
    rows = session.connection().execute(_OPEN, values)
    return [
        OpenGame(int(key), place, int(attempt), None if turn is None else int(turn) >> 8 & 0xFFFF)
        for key, place, attempt, turn in rows
    ]
