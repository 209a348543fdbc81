"""A tournament's schedule as it is on record: its seats, what is settled, what is left to play."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

_SEATS = text(
    "SELECT g.schedule_index, g.attempt, g.block, g.seed, g.status, g.final, "
    "p.agent_id, p.player_index, p.role, p.team, p.rank "
    "FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.tournament_id = :tournament AND g.schedule_index >= :first "
    "ORDER BY g.schedule_index, g.attempt, p.player_index"
)
_OPEN = text(
    "SELECT g.id, g.schedule_index, g.attempt, g.seed, g.status, g.revision, p.agent_id "
    "FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.tournament_id = :tournament AND g.status IN ('scheduled', 'running') "
    "AND g.schedule_index IS NOT NULL AND g.seed IS NOT NULL "
    "ORDER BY g.schedule_index, g.id, p.player_index"
)
_ANY_OPEN = text(
    "SELECT 1 FROM games WHERE tournament_id = :tournament "
    "AND status IN ('scheduled', 'running') LIMIT 1"
)
# Every finished game is final: an index alone counts them.
_SETTLED = text(
    "SELECT 'completed', COUNT(*) FROM games WHERE tournament_id = :tournament "
    "AND status = 'completed' UNION ALL SELECT 'void', COUNT(*) FROM games "
    "WHERE tournament_id = :tournament AND status = 'void' AND final"
)
_LENGTH = text("SELECT MAX(schedule_index) + 1 FROM games WHERE tournament_id = :tournament")
_STATE = text(
    "SELECT s.place, s.body FROM live_states s WHERE s.tournament_id = :tournament "
    "AND s.version = :version AND s.attempts = (SELECT COUNT(*) FROM games g "
    "WHERE g.tournament_id = :tournament AND g.schedule_index < s.place)"
)
_FIRST_ATTEMPTS = text(
    "SELECT schedule_index, id FROM games WHERE tournament_id = :tournament AND attempt = 0 "
    "AND schedule_index >= :first AND schedule_index <= :last"
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


def scheduled_seats(
    session: Session, tournament_id: int, first: int = 0
) -> Iterator[ScheduledSeat]:
    """Every seat from a place of the schedule on, in schedule order, attempt after attempt, by
    player_index."""
    for row in session.connection().execute(_SEATS, {"tournament": tournament_id, "first": first}):
        index, attempt, block, seed, status, final, *seat = row
        yield ScheduledSeat(index, attempt, block or 0, seed or 0, status, bool(final), *seat)


@dataclass(frozen=True, slots=True)
class ScheduledGame:
    """An attempt at a place of a schedule that waits to be played, or that has `begun` with its
    rules put to the players in a `revision`; `agents` in order of player_index."""

    game_id: int
    schedule_index: int
    attempt: int
    seed: int
    agents: tuple[int, ...]
    begun: bool = False
    revision: int | None = None


def open_games(session: Session, tournament_id: int) -> list[ScheduledGame]:
    """The games that are left to play, in schedule order."""
    rows = session.connection().execute(_OPEN, {"tournament": tournament_id})
    found = []
    for game, seats in groupby(rows, lambda row: tuple(row[:6])):
        game_id, index, attempt, seed, status, revision = game
        agents = tuple(seat[6] for seat in seats)
        begun = status == "running"
        found.append(ScheduledGame(game_id, index, attempt, seed, agents, begun, revision))
    return found


class ReachedState(NamedTuple):
    """The live ratings after the first `place` places, as they were kept."""

    place: int
    body: bytes


def live_state(session: Session, tournament_id: int, version: int) -> ReachedState | None:
    """Where the live ratings stood; None where nothing of this version was kept, or where one of
    the games before that place was played again since."""
    values = {"tournament": tournament_id, "version": version}
    found = session.connection().execute(_STATE, values).first()
    return None if found is None else ReachedState(int(found[0]), bytes(found[1]))


def scheduled_places(session: Session, tournament_id: int) -> int:
    """How many places the schedule has so far."""
    found = session.connection().execute(_LENGTH, {"tournament": tournament_id}).scalar()
    return int(found or 0)


def is_open(session: Session, tournament_id: int) -> bool:
    """Whether a game of the tournament is left to play."""
    found = session.connection().execute(_ANY_OPEN, {"tournament": tournament_id})
    return found.first() is not None


def settled_places(session: Session, tournament_id: int) -> dict[str, int]:
    """How many places of the schedule are settled, by the status of their last attempt."""
    rows = session.connection().execute(_SETTLED, {"tournament": tournament_id})
    return {status: int(count) for status, count in rows if count}


def first_attempts(session: Session, tournament_id: int, places: Sequence[int]) -> dict[int, int]:
    """The keys of the first attempts that are on record, by place of the schedule, for at least
    these places."""
    values = {"tournament": tournament_id, "first": min(places), "last": max(places)}
    return {
        int(index): int(key) for index, key in session.connection().execute(_FIRST_ATTEMPTS, values)
    }
