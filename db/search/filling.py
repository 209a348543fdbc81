"""Fills an index from the record, from the last game that is in it on; an interruption loses
nothing of what was filled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlmodel import Session, col

from db.models import Game
from db.search.documents import MOST_WORDS, ReadAnswer, SaidText, texts_of_games
from db.search.store import FilledTo, IndexName, SearchStore
from db.search.words import GAP, parts, words

# Rows that are read, and texts that are added in one transaction: a fraction of a second.
_GAMES = 200
_TURNS = 2_000
_OVER = ("completed", "void")

TellFilled = Callable[[int, int], None]
"""told(done, all): games that were looked at, of those that there are to look at."""


@dataclass(frozen=True, slots=True)
class FilledIndex:
    """What filling an index has done: `games` that are over and `texts` of theirs were added;
    `unread` are turns of which an answer is damaged. `behind` is how many games with turns are not
    in it, `running` those of them that are not over."""

    games: int = 0
    texts: int = 0
    unread: tuple[int, ...] = ()
    behind: int = 0
    running: int = 0


def fill(
    session: Session,
    store: SearchStore,
    name: IndexName,
    read: ReadAnswer,
    told: TellFilled = lambda done, total: None,
) -> FilledIndex:
    """Add every game that is over and not in the index yet. Raises DatabaseError."""
    at = _checked(session, store, name)
    unread: list[int] = []
    texts = added = done = 0
    newest = session.execute(select(func.max(Game.id))).scalar() or 0
    total = newest - at.last + len(at.waiting)
    for first, last, after in _spans(session, at):
        chosen = [
            (each.key, _of(name, each))
            for each in texts_of_games(session, first, last, read, unread)
            if each.turn[0] not in after.waiting
        ]
        while not store.add(name, chosen, at, after):
            # Somebody else fills it too: it is read again how far they are.
            return replace(
                fill(session, store, name, read, told), games=added, unread=tuple(unread)
            )
        added += _count_over(session, first, last)
        texts += len(chosen)
        done += after.last - at.last + max(0, len(at.waiting) - len(after.waiting))
        at = after
        told(min(done, total), total)
    behind, running = lag(session, at)
    return FilledIndex(added, texts, tuple(unread), behind, running)


def is_behind(session: Session, at: FilledTo) -> bool:
    """Whether a game that is over is not in an index; `lag` counts them."""
    behind = select(col(Game.id)).where(col(Game.id) > at.last, col(Game.status).in_(_OVER))
    newer = session.execute(behind.order_by(col(Game.id).desc()).limit(1)).first()
    return newer is not None or bool(_over(session, at.waiting))


def lag(session: Session, at: FilledTo) -> tuple[int, int]:
    """(how many games that were begun are not in an index, how many of them are not over)."""
    running = session.execute(
        select(func.count()).select_from(Game).where(col(Game.status) == "running")
    ).scalar_one()
    over = session.execute(
        select(func.count())
        .select_from(Game)
        .where(col(Game.id) > at.last, col(Game.status).in_(_OVER))
    ).scalar_one()
    return over + running + len(_over(session, at.waiting)), running


def _count_over(session: Session, first: int, last: int) -> int:
    asked = (
        select(func.count())
        .select_from(Game)
        .where(col(Game.id).between(first, last), col(Game.status).in_(_OVER))
    )
    return int(session.execute(asked).scalar_one())


def _of(name: IndexName, said: SaidText) -> Sequence[str]:
    found: list[str] = []
    for piece in said.pieces:
        if found:
            found.append(GAP)
        found += words(piece) if name == "words" else parts(piece)
    return found[:MOST_WORDS]


def _checked(session: Session, store: SearchStore, name: IndexName) -> FilledTo:
    """How far the index is; one of games that are no longer there is emptied."""
    at = store.progress(name)
    if at.last and _stamp(session, at.last) != at.stamp:
        store.clear(name)
        at = store.progress(name)
    return at


def _stamp(session: Session, game_id: int) -> str:
    made = session.execute(select(col(Game.created_at)).where(col(Game.id) == game_id)).scalar()
    return "" if made is None else made.isoformat()


def _spans(session: Session, at: FilledTo) -> Iterator[tuple[int, int, FilledTo]]:
    """(first game, last game, the progress after them): first those that were waited for, then the
    new ones, as many at once as have about _TURNS turns."""
    for game_id in _over(session, at.waiting):
        at = replace(at, waiting=tuple(each for each in at.waiting if each != game_id))
        yield game_id, game_id, at
    while rows := _after(session, at.last):
        first, turns, waiting = None, 0, list(at.waiting)
        for game_id, status, count, made in rows:
            first = game_id if first is None else first
            turns += count or 0
            if status not in _OVER:
                waiting.append(game_id)
            if turns >= _TURNS or game_id == rows[-1][0]:
                at = FilledTo(game_id, made.isoformat(), tuple(waiting))
                yield first, game_id, at
                first, turns = None, 0


def _after(session: Session, last: int) -> Sequence[Any]:
    query: Any = select(*(col(each) for each in (Game.id, Game.status, Game.turn_count)))
    query = query.add_columns(col(Game.created_at)).where(col(Game.id) > last)
    rows: Sequence[Any] = session.execute(query.order_by(col(Game.id)).limit(_GAMES)).all()
    return rows


def _over(session: Session, waiting: Sequence[int]) -> list[int]:
    """Those of some games that are over, or gone."""
    found: list[int] = []
    query = text("SELECT id FROM games WHERE id IN :ids AND status NOT IN ('completed', 'void')")
    query = query.bindparams(bindparam("ids", expanding=True))
    for start in range(0, len(waiting), 500):
        some = waiting[start : start + 500]
        left = {*session.execute(query, {"ids": some}).scalars()}
        found += [game for game in some if game not in left]
    return found
