"""A tournament's schedule as it is on record, seat by seat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

_SEATS = text(
    "SELECT g.schedule_index, g.attempt, g.block, g.seed, g.status, g.final, "
    "p.agent_id, p.player_index, p.role, p.team, p.rank "
    "FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.tournament_id = :tournament AND g.schedule_index IS NOT NULL "
    "ORDER BY g.schedule_index, g.attempt, p.player_index"
)


class ScheduledSeat(NamedTuple):
    """One place in one attempt at a game of a schedule; `final` says that no further attempt
    will be made."""

    schedule_index: int
    attempt: int
    block: int
    seed: int
    status: str
    final: bool
    agent_id: int
    player_index: int
    role: str | None
    team: str | None
    rank: int | None


def scheduled_seats(session: Session, tournament_id: int) -> Iterator[ScheduledSeat]:
    """Every seat, in schedule order, attempt after attempt, by player_index."""
    for row in session.connection().execute(_SEATS, {"tournament": tournament_id}):
        index, attempt, block, seed, status, final, *seat = row
        yield ScheduledSeat(index, attempt, block or 0, seed or 0, status, bool(final), *seat)
