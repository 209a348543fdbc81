"""What happened to a game: each status that it came to, from which, when, why and by whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from db.models import Game, GameState
from db.models.columns import aware


@dataclass(frozen=True, slots=True)
class GameStateRow:
    """A game came from a status (`before`, None for its first) to another; `reason` and `actor` as
    in `db.models.game_states`."""

    before: str | None
    status: str
    reason: str | None
    actor: str | None
    at: datetime


def game_states(session: Session, game_id: int) -> list[GameStateRow]:
    """What happened to a game, in order; nothing of one that is not there."""
    created = session.execute(
        select(col(Game.created_at)).where(col(Game.id) == game_id)
    ).scalar_one_or_none()
    if created is None:
        return []
    query: Any = (
        select(
            col(GameState.status), col(GameState.reason), col(GameState.actor), col(GameState.at)
        )
        .where(col(GameState.game_id) == game_id)
        .order_by(col(GameState.id))
    )
    return moves(aware(created), [tuple(row) for row in session.execute(query)])


def moves(created: datetime, states: Iterable[tuple[Any, ...]]) -> list[GameStateRow]:
    """(status, reason, actor, at) of a game in order, each with what it came from. One that was
    `created` before its first was scheduled then."""
    found: list[GameStateRow] = []
    for status, reason, actor, at in states:
        if not found and created < aware(at):
            found.append(GameStateRow(None, "scheduled", None, None, created))
        before = found[-1].status if found else None
        found.append(GameStateRow(before, status, reason, actor, aware(at)))
    return found or [GameStateRow(None, "scheduled", None, None, created)]
