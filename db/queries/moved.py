"""What moves while a run plays, as few numbers: equal ones say that a page is as it was."""

from __future__ import annotations

from collections.abc import Container

from sqlalchemy import text
from sqlmodel import Session

from db.keys import calls_of_game, turns_of_game

Numbers = tuple[object, ...]

_TOURNAMENTS = text(
    "SELECT status, COUNT(*), MAX(id), SUM(next_fold_index) FROM tournaments "
    "GROUP BY status ORDER BY status"
)
_NEWEST = text(
    "SELECT (SELECT MAX(id) FROM games), (SELECT MAX(fold_index) FROM games), "
    "(SELECT COUNT(*) FROM stored_boards), (SELECT MAX(stored_at) FROM stored_boards)"
)
_TOLD = text("SELECT tournament_id, told_at FROM leases ORDER BY tournament_id")
_TOURNAMENT = text(
    "SELECT t.status, t.games, t.next_fold_index, l.told_at FROM tournaments t "
    "LEFT JOIN leases l ON l.tournament_id = t.id WHERE t.id = :tournament"
)
_GAME = text("SELECT status, turn_count, tournament_id FROM games WHERE id = :game")
_TURNS = text("SELECT COUNT(*), MAX(id) FROM game_turns WHERE id >= :first AND id < :last")
_CALLS = text(
    "SELECT COUNT(*), COUNT(response_received_at) FROM llm_calls WHERE id >= :first AND id < :last"
)
_EVENTS = text("SELECT COUNT(*) FROM game_events WHERE game_id = :game")


def all_moved(session: Session, live: Container[int]) -> Numbers:
    """Of everything: another number when a game is made or rated, when a board is stored, and when
    a tournament begins or ends."""
    connection = session.connection()
    newest = connection.execute(_NEWEST).one()
    return (*newest, *(tuple(row) for row in connection.execute(_TOURNAMENTS)), repr(live))


def tournaments_moved(session: Session, live: Container[int]) -> Numbers:
    """The same, and what every run says of itself."""
    told = session.connection().execute(_TOLD)
    return (*all_moved(session, live), *(tuple(row) for row in told))


def tournament_moved(session: Session, tournament_id: int, live: Container[int]) -> Numbers:
    """Of one tournament: its results, and what its run says."""
    found = session.connection().execute(_TOURNAMENT, {"tournament": tournament_id}).first()
    return (*(found or ()), tournament_id in live)


def game_moved(session: Session, game_id: int, live: Container[int]) -> Numbers:
    """Of one game: its turns, its calls and its events."""
    connection = session.connection()
    found = connection.execute(_GAME, {"game": game_id}).first()
    if found is None:
        return ()
    numbers: list[object] = [*found, found[2] in live]
    for query, of_game in ((_TURNS, turns_of_game), (_CALLS, calls_of_game)):
        first, last = of_game(game_id)
        numbers += connection.execute(query, {"first": first, "last": last}).one()
    numbers += connection.execute(_EVENTS, {"game": game_id}).one()
    return tuple(numbers)
