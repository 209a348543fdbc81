"""The counters of how agents behave: counted again from the games, and compared with them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from db.models.games import COUNTS

_COLUMNS = f"tournament_id, agent_id, games, {', '.join(COUNTS)}, decided, eliminated"
_STORED = f"SELECT {_COLUMNS} FROM conduct"  # noqa: S608
_COUNTED = (
    "SELECT g.tournament_id, p.agent_id, COUNT(DISTINCT g.id), "  # noqa: S608
    f"{', '.join(f'COALESCE(SUM(p.{name}), 0)' for name in COUNTS)}, "
    "COUNT(DISTINCT CASE WHEN p.decided THEN g.id END), "
    "COUNT(DISTINCT CASE WHEN p.eliminated_turn IS NOT NULL THEN g.id END) "
    "FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.status = 'completed' AND g.tournament_id IS NOT NULL "
    "GROUP BY g.tournament_id, p.agent_id ORDER BY g.tournament_id, p.agent_id"
)


@dataclass(frozen=True, slots=True)
class ConductDifference:
    """Stored counters that are not what the games say; None where there are none: games, those of
    `COUNTS`, decided, eliminated."""

    tournament_id: int
    agent_id: int
    stored: tuple[int, ...] | None
    counted: tuple[int, ...] | None


class ConductCounts:
    session: Session

    def recount_conduct(self) -> None:
        """Delete every counter and count the finished games again. Call it while no tournament
        is run."""
        connection = self.session.connection()
        connection.execute(text("DELETE FROM conduct"))
        connection.execute(text(f"INSERT INTO conduct ({_COLUMNS}) {_COUNTED}"))

    def check_conduct(self) -> list[ConductDifference]:
        """Where the stored counters differ from what the games say; empty when nowhere."""
        stored = self._counts(_STORED)
        counted = self._counts(_COUNTED)
        return [
            ConductDifference(*key, stored.get(key), counted.get(key))
            for key in sorted(stored.keys() | counted.keys())
            if stored.get(key) != counted.get(key)
        ]

    def _counts(self, query: str) -> dict[tuple[int, int], tuple[int, ...]]:
        return {
            (int(tournament), int(agent)): tuple(int(count) for count in counts)
            for tournament, agent, *counts in self.session.connection().execute(text(query))
        }
