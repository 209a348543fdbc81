"""Which games are archived, and what of theirs is in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select
from sqlmodel import Session, col

from db.errors import DatabaseError
from db.models import ArchivedGame, Game
from db.transcripts.reading import archived_part, is_archived


def archived_games(session: Session | Connection, conditions: Sequence[Any] = ()) -> list[int]:
    """The numbers of the archived games for which conditions on games hold, in order."""
    query: Any = (
        select(col(ArchivedGame.game_id))
        .join(Game, col(Game.id) == col(ArchivedGame.game_id))
        .where(*conditions)
        .order_by(col(ArchivedGame.game_id))
    )
    return [*session.execute(query).scalars()]


def count_archived(session: Session | Connection, conditions: Sequence[Any] = ()) -> int:
    """How many games for which conditions on games hold are archived."""
    query: Any = (
        select(func.count())
        .select_from(ArchivedGame)
        .join(Game, col(Game.id) == col(ArchivedGame.game_id))
        .where(*conditions)
    )
    return int(session.execute(query).scalar_one())


def archived_rows_of(
    session: Session | Connection, games: Sequence[int], name: str
) -> Iterator[dict[str, Any]]:
    """The rows of a table that are in files, of games that are archived, in the order of their
    keys; a game at a time in memory. Raises Damaged."""
    for game_id in games:
        yield from archived_part(session, game_id, name)


def refuse_archived(session: Session | Connection, game_id: int, what: str) -> None:
    """Raises DatabaseError for an archived game, with what to type: `what` cannot be done."""
    if is_archived(session, game_id):
        raise DatabaseError(
            f"game {game_id} is archived, {what}: type `arena db prune --undo --game {game_id}`, "
            "which brings its transcript back, and then the same again"
        )
