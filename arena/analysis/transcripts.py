"""A game as it was played, for Python and for notebooks."""

from __future__ import annotations

from sqlmodel import Session

from arena.analysis.source import Readable, connected
from arena.core import UsageError
from arena.reports.game import GameReport, game_report
from db.queries.games import game as game_row
from db.queries.transcript import transcript


def game(game_id: int, source: Readable = None) -> GameReport:
    """A game as it was played, turn by turn. Raises UsageError for one that is not on record."""
    with connected(source) as connection, Session(connection) as session:
        row = game_row(session, game_id)
        if row is None:
            raise UsageError(f"there is no game {game_id}; games_df lists them")
        return game_report(row, transcript(session, game_id))
