"""How often games on record stood alike, and which games were never asked where they stood."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from db.models import Game, GamePlayer, PositionCount, Tournament
from db.models.games import UNCOUNTED
from db.selection import Selection
from db.writer.games import PositionRow


@dataclass(frozen=True, slots=True)
class StoodAlike:
    """The finished games that came to a position, and those of them that its team won."""

    games: int = 0
    won: int = 0


def stood_alike(
    session: Session, environment_id: int, names: Sequence[str]
) -> dict[str, StoodAlike]:
    """The counters of these positions over all tournaments in an environment."""
    query = (
        select(PositionCount.name, func.sum(PositionCount.games), func.sum(PositionCount.won))
        .join(Tournament, col(Tournament.id) == col(PositionCount.tournament_id))
        .where(Tournament.environment_id == environment_id, col(PositionCount.name).in_(set(names)))
        .group_by(col(PositionCount.name))
    )
    return {name: StoodAlike(int(games), int(won)) for name, games, won in session.execute(query)}


def uncounted(session: Session, environment_id: int) -> bool:
    """Whether finished games of an environment were never asked where they stood: those of an
    earlier release."""
    query = select(Game.id).where(Game.environment_id == environment_id, text(UNCOUNTED)).limit(1)
    return session.execute(query).first() is not None


def uncounted_games(session: Session, selection: Selection) -> list[int]:
    """Those of a selection, the oldest first."""
    chosen = selection.on(session.connection())
    query = select(Game.id).where(text(UNCOUNTED), *chosen.of_games()).order_by(col(Game.id))
    return [int(key) for key in session.scalars(query) if key is not None]


def roles(session: Session, game_id: int) -> list[str | None]:
    """The roles of a game's players, by player_index."""
    query = select(GamePlayer.role).where(GamePlayer.game_id == game_id)
    return [*session.scalars(query.order_by(col(GamePlayer.player_index)))]


def counted_positions(session: Session, game_id: int) -> list[PositionRow]:
    """The positions of a game that are in the counters."""
    stored = session.scalars(select(Game.positions).where(Game.id == game_id)).first()
    return [*stored_positions(stored)]


def stored_positions(stored: str | None) -> Iterator[PositionRow]:
    """The positions of a game from its row."""
    for name, team in json.loads(stored or "[]"):
        yield PositionRow(name, team)
