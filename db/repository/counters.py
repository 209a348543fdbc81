"""The counters of what agents used and how they behaved: counted again, and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from db.counts import COLUMNS, KEY, CountsKey, GameCounts, add
from db.models.counters import VERSION
from db.queries.counters import ENDED, games_in, games_of, stored_counters

_NAMES = (*KEY, *COLUMNS)
_STORE = text(
    f"INSERT INTO counters ({', '.join(_NAMES)}) VALUES ({', '.join(f':{n}' for n in _NAMES)})"  # noqa: S608
)
_CLEAR = text("DELETE FROM counters WHERE tournament_id = :tournament")
_STATE = text("UPDATE tournaments SET counters_version = :version WHERE id = :tournament")

OnGames = Callable[[int], None]
"""Told how many games have been counted so far."""


@dataclass(frozen=True, slots=True)
class CounterDifference:
    """A row of stored counters that is not what the games say: `names` are the columns that
    differ, with what is stored and what was counted; None where there is no row."""

    key: CountsKey
    stored: GameCounts | None
    counted: GameCounts | None

    @property
    def names(self) -> list[str]:
        """The columns that differ."""
        ours, theirs = self.stored or GameCounts(), self.counted or GameCounts()
        return [name for name in COLUMNS if getattr(ours, name) != getattr(theirs, name)]

    def __str__(self) -> str:
        part = " ".join(filter(None, (self.key.role, self.key.team, "void" * self.key.void)))
        who = f"agent {self.key.agent_id}{f' ({part})' if part else ''}"
        if self.stored is None or self.counted is None:
            return f"{who}: {'none' if self.stored is None else 'counters'} stored, " + (
                "none from the games" if self.counted is None else "there are games"
            )
        said = (
            f"{name} {getattr(self.stored, name)} stored, {getattr(self.counted, name)} from the "
            "games"
            for name in self.names
        )
        return f"{who}: {'; '.join(said)}"


def leave_behind(session: Session, tournament_id: int | None) -> None:
    """Something was changed that the counters of a tournament are of: they are not up to date."""
    if tournament_id is not None:
        session.connection().execute(_STATE, {"tournament": tournament_id, "version": None})


class CounterRepository:
    session: Session

    def recount(self, tournament_id: int, on_games: OnGames | None = None) -> int:
        """Count every game of a tournament that has ended again and store that: how many there
        were. Call `lock_ratings` first: games that end meanwhile wait until the session commits."""
        connection = self.session.connection()
        found, games = _counted(self.session, tournament_id, on_games)
        connection.execute(_CLEAR, {"tournament": tournament_id})
        rows = [
            dict(zip(_NAMES, (*key, *counts.row()), strict=True))
            for key, counts in sorted(found.items())
        ]
        if rows:
            connection.execute(_STORE, rows)
        connection.execute(_STATE, {"tournament": tournament_id, "version": VERSION})
        return games

    def check_counters(
        self, tournament_id: int, on_games: OnGames | None = None
    ) -> tuple[int, list[CounterDifference]]:
        """How many games of a tournament have ended, and where its stored counters differ from
        what they say, to the last bit."""
        counted, games = _counted(self.session, tournament_id, on_games)
        stored = stored_counters(self.session, tournament_id)
        return games, [
            CounterDifference(key, stored.get(key), counted.get(key))
            for key in sorted(stored.keys() | counted.keys())
            if stored.get(key) != counted.get(key)
        ]


def _counted(
    session: Session, tournament_id: int, on_games: OnGames | None
) -> tuple[dict[CountsKey, GameCounts], int]:
    """The counts of a tournament's games, and how many games there are."""
    found: dict[CountsKey, GameCounts] = {}
    keys = games_in(session, tournament_id, ENDED)
    for at, game in enumerate(games_of(session, keys), start=1):
        add(found, game)
        if on_games is not None:
            on_games(at)
    return found, len(keys)
