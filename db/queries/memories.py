"""What an agent brings from the games that it finished in a tournament."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

_SEATS = text(
    "SELECT g.id, g.schedule_index, p.player_index, p.role, p.team, p.rank, g.winning_team, "
    "g.reason FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.tournament_id = :tournament AND g.status = 'completed' AND p.agent_id = :agent "
    "AND g.schedule_index < :place ORDER BY g.schedule_index DESC, p.player_index"
)
_TOURNAMENTS = text(
    "SELECT t.id, t.name, MAX(g.schedule_index) + 1 FROM tournaments t "
    "JOIN games g ON g.tournament_id = t.id JOIN game_players p ON p.game_id = g.id "
    "WHERE p.agent_id = :agent AND g.status = 'completed' AND g.schedule_index IS NOT NULL "
    "GROUP BY t.id, t.name ORDER BY t.id"
)


class FinishedSeat(NamedTuple):
    """A seat of an agent in a finished game, and how that came out."""

    game_id: int
    schedule_index: int
    player_index: int
    role: str | None
    team: str | None
    rank: int | None
    winning_team: str | None
    reason: str | None


def finished_seats(
    session: Session, tournament_id: int, agent_id: int, place: int
) -> Iterator[FinishedSeat]:
    """The agent's seats in finished games of a tournament before a place of its schedule, the
    latest game first, by player_index."""
    values = {"tournament": tournament_id, "agent": agent_id, "place": place}
    for row in session.connection().execute(_SEATS, values):
        yield FinishedSeat(*row)


def finished_tournaments(session: Session, agent_id: int) -> list[tuple[int, str, int]]:
    """(tournament_id, name, the place behind its last finished game of the agent) of every
    tournament in which an agent has finished games, in order of their keys."""
    rows = session.connection().execute(_TOURNAMENTS, {"agent": agent_id})
    return [(int(key), str(name), int(end)) for key, name, end in rows]
