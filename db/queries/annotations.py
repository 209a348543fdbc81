"""What people said of games: ratings, tags and comments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlmodel import Session, col

from db import keys
from db.models import WHOLE_GAME, Game, GameTurn
from db.models.columns import aware
from db.selection import Selection, several

_NOTES, _TAGS, _GAMES = (
    Game.metadata.tables[name] for name in ("annotations", "annotation_tags", "games")
)
_KEY = (_NOTES.c.game_id, _NOTES.c.turn, _NOTES.c.annotator)
_TAGS_KEY = (_TAGS.c.game_id, _TAGS.c.turn, _TAGS.c.annotator)
# No tag has a comma in it.
_JOINED = (
    select(func.aggregate_strings(_TAGS.c.tag, ","))
    .where(*(tag == note for tag, note in zip(_TAGS_KEY, _KEY, strict=True)))
    .correlate(_NOTES)
)
_COLUMNS = (
    _NOTES.c.id, *_KEY, _NOTES.c.rating, _NOTES.c.comment, _NOTES.c.blind, _NOTES.c.created_at,
    _NOTES.c.updated_at, _JOINED.scalar_subquery(),
)  # fmt: skip


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
    query = select(*_COLUMNS).order_by(_NOTES.c.id.desc())
    if selection is not None and selection != Selection():
        chosen = selection.on(session)
        rest = replace(chosen, asked=replace(selection, tag=None))
        if where := rest.of_games():
            query = query.join(_GAMES, _GAMES.c.id == _NOTES.c.game_id).where(*where)
        if selection.tag:
            bears = _TAGS.c.tag.in_(several(selection.tag))
            query = query.where(tuple_(*_KEY).in_(select(*_TAGS_KEY).where(bears)))
    if annotator is not None:
        query = query.where(_NOTES.c.annotator == annotator)
    if before is not None:
        query = query.where(_NOTES.c.id < before)
    return _rows(session, query if limit is None else query.limit(limit))


def annotations_of(session: Session, game_id: int) -> list[AnnotationRow]:
    """The annotations of a game and of its turns, by turn, the game itself first."""
    query = select(*_COLUMNS).where(_NOTES.c.game_id == game_id)
    return _rows(session, query.order_by(_NOTES.c.turn, _NOTES.c.annotator))


def annotation(
    session: Session, game_id: int, turn: int | None, annotator: str
) -> AnnotationRow | None:
    """The annotation of a game or a turn by an annotator; None without one."""
    query = select(*_COLUMNS).where(
        _NOTES.c.game_id == game_id,
        _NOTES.c.turn == (WHOLE_GAME if turn is None else turn),
        _NOTES.c.annotator == annotator,
    )
    found = _rows(session, query)
    return found[0] if found else None


def tag_counts(session: Session, limit: int = 50) -> list[tuple[str, int]]:
    """(tag, how many annotations bear it), the most used first."""
    count, tag = func.count(), _TAGS.c.tag
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
    return [
        AnnotationRow(
            key,
            game,
            None if turn == WHOLE_GAME else turn,
            annotator,
            rating,
            tuple(sorted(tags.split(","))) if tags else (),
            comment,
            blind,
            aware(created),
            aware(updated),
        )
        for key, game, turn, annotator, rating, comment, blind, created, updated, tags in (
            session.execute(query)
        )
    ]
