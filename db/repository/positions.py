"""The counters of positions: changed with a game's, counted again, and compared with the games."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Session, col, select

from db.models import Game, PositionCount
from db.queries.positions import stored_positions
from db.writer.games import PositionRow
from db.writer.positions import names_of

_Position = tuple[int, str]


@dataclass(frozen=True, slots=True)
class PositionDifference:
    """Stored counters of a position that are not what the games say: (games, won)."""

    tournament_id: int
    name: str
    stored: tuple[int, int]
    counted: tuple[int, int]


class PositionRepository:
    session: Session

    def replace_positions(self, game: Game, positions: Sequence[PositionRow]) -> None:
        """Put the positions that a game came to in the place of those it has, and count them. A
        game of no tournament, as a branch, is not counted."""
        if game.tournament_id is None or game.status != "completed":
            return
        for by, rows in ((-1, [*stored_positions(game.positions)]), (1, positions)):
            for name, team in rows:
                self._add_position(
                    game.tournament_id, name, team, by, won=team == game.winning_team
                )
        game.positions = names_of(positions)
        self.session.flush()

    def _add_position(
        self, tournament_id: int, name: str, team: str, by: int, *, won: bool
    ) -> None:
        found = self.session.get(PositionCount, (tournament_id, name))
        if found is None:
            found = PositionCount(tournament_id=tournament_id, name=name, team=team)
            self.session.add(found)
        found.games += by
        found.won += by * won
        self.session.flush()

    def recount_positions(self) -> None:
        """Delete every counter and count the finished games again. Call it while no tournament
        is run."""
        games, won, teams = self._positions_counted()
        self.session.execute(delete(PositionCount))
        self.session.add_all(
            PositionCount(
                tournament_id=key[0], name=key[1], team=teams[key], games=games[key], won=won[key]
            )
            for key in sorted(games)
        )
        self.session.flush()

    def check_positions(self) -> list[PositionDifference]:
        """Where the stored counters differ from what the games say; empty when nowhere."""
        games, won, _ = self._positions_counted()
        stored = {
            (row.tournament_id, row.name): (row.games, row.won)
            for row in self.session.exec(select(PositionCount))
        }
        counted = {key: (games[key], won[key]) for key in games}
        return [
            PositionDifference(*key, stored.get(key, (0, 0)), counted.get(key, (0, 0)))
            for key in sorted(stored.keys() | counted.keys())
            if stored.get(key, (0, 0)) != counted.get(key, (0, 0))
        ]

    def _positions_counted(
        self,
    ) -> tuple[Counter[_Position], Counter[_Position], dict[_Position, str]]:
        games: Counter[_Position] = Counter()
        won: Counter[_Position] = Counter()
        teams: dict[_Position, str] = {}
        query = select(Game.tournament_id, Game.winning_team, Game.positions).where(
            Game.status == "completed",
            col(Game.tournament_id).is_not(None),
            col(Game.positions).is_not(None),
        )
        for tournament_id, winner, stored in self.session.execute(
            query.execution_options(yield_per=10_000)
        ):
            for name, team in stored_positions(stored):
                key = (tournament_id, name)
                teams[key] = team
                games[key] += 1
                won[key] += team == winner
        return games, won, teams
