"""What people said of games: ratings, tags and comments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, select
from sqlmodel import Session, col

from db import keys
from db.models import WHOLE_GAME, Annotation, AnnotationTag, Game, GameTurn
from db.models.columns import aware
from db.selection import Selection, several

_AT_ONCE = 200  # annotations whose tags are read in one question


@dataclass(frozen=True, slots=True)
class AnnotationRow:
    """What an annotator says of a game, or of a `turn` of it: a `rating` from 1 to 5, tags in their
    order, a comment; `blind` where roles and names were hidden from the annotator."""

    id: int
    game_id: int
    turn: int | None
    annotator: str
    rating: int | None
    tags: tuple[str, ...]
    comment: str | None
    blind: bool
    created_at: datetime
    updated_at: datetime


def annotation_rows(
    session: Session,
    selection: Selection | None = None,
    *,
    annotator: str | None = None,
    limit: int | None = None,
    before: int | None = None,
) -> list[AnnotationRow]:
    """The annotations of the games of a selection, the newest first, or those older than the
    annotation `before`; where the selection asks for tags, those that bear one of them. Raises
    BadSelection for what is not on record."""
    query = select(Annotation).order_by(col(Annotation.id).desc())
    if selection is not None and selection != Selection():
        chosen = selection.on(session)
        query = query.join(Game, col(Game.id) == col(Annotation.game_id)).where(*chosen.of_games())
        if selection.tag:
            own = and_(
                col(AnnotationTag.game_id) == col(Annotation.game_id),
                col(AnnotationTag.turn) == col(Annotation.turn),
                col(AnnotationTag.annotator) == col(Annotation.annotator),
                col(AnnotationTag.tag).in_(several(selection.tag)),
            )
            query = query.where(exists().where(own))
    if annotator is not None:
        query = query.where(col(Annotation.annotator) == annotator)
    if before is not None:
        query = query.where(col(Annotation.id) < before)
    return _rows(session, query if limit is None else query.limit(limit))


def annotations_of(session: Session, game_id: int) -> list[AnnotationRow]:
    """Those of a game and of its turns, by turn, the game itself first."""
    about = col(Annotation.game_id) == game_id
    query = select(Annotation).where(about)
    return _rows(session, query.order_by(col(Annotation.turn), col(Annotation.annotator)))


def annotation(
    session: Session, game_id: int, turn: int | None, annotator: str
) -> AnnotationRow | None:
    """That of an annotator about a game or a turn; None without one."""
    query = select(Annotation).where(
        col(Annotation.game_id) == game_id,
        col(Annotation.turn) == (WHOLE_GAME if turn is None else turn),
        col(Annotation.annotator) == annotator,
    )
    found = _rows(session, query)
    return found[0] if found else None


def tag_counts(session: Session, limit: int = 50) -> list[tuple[str, int]]:
    """(tag, how many annotations bear it), the most used first."""
    count, tag = func.count(), col(AnnotationTag.tag)
    query = select(tag, count).group_by(tag).order_by(count.desc(), tag).limit(limit)
    return [(name, int(number)) for name, number in session.execute(query)]


def turn_there(session: Session, game_id: int, turn: int) -> bool:
    """Whether a game has a turn of this number; a branch has those before it, too."""
    game = session.get(Game, game_id)
    if game is None or not 0 <= turn <= keys.MAX_TURN_NUMBER:
        return False
    if turn < (game.parent_turn or 0):
        return True
    first = keys.turn_key(game_id, turn, 0)
    own = (col(GameTurn.id) >= first, col(GameTurn.id) <= first + keys.MAX_PLAYER_INDEX)
    return session.execute(select(col(GameTurn.id)).where(*own).limit(1)).first() is not None


def _rows(session: Session, query: Any) -> list[AnnotationRow]:
    found = session.execute(query).scalars().all()
    tags: dict[tuple[int, int, str], list[str]] = defaultdict(list)
    for at in range(0, len(found), _AT_ONCE):
        games = sorted({row.game_id for row in found[at : at + _AT_ONCE]})
        of_these = select(AnnotationTag).where(col(AnnotationTag.game_id).in_(games))
        for own in session.execute(of_these).scalars():
            tags[own.game_id, own.turn, own.annotator].append(own.tag)
    return [
        AnnotationRow(
            row.id or 0,
            row.game_id,
            None if row.turn == WHOLE_GAME else row.turn,
            row.annotator,
            row.rating,
            tuple(sorted({*tags[row.game_id, row.turn, row.annotator]})),
            row.comment,
            row.blind,
            aware(row.created_at),
            aware(row.updated_at),
        )
        for row in found
    ]
