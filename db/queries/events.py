"""What happened in a game, read from its rows, and which games have no events yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from db.models import EventType, Game, GameEvent, Tournament
from db.selection import Selection
from db.writer.events import EventRow

COLUMNS: list[Any] = [
    GameEvent.turn,
    GameEvent.day,
    GameEvent.phase,
    EventType.name,
    GameEvent.source,
    GameEvent.target,
    GameEvent.audience,
    GameEvent.data,
]


_RULES = "rules"  # whose reading no game names


@dataclass(frozen=True, slots=True)
class EventsState:
    """Whether a game has events: of which `version`, None where they were never told; `error` says
    why it has none; `reader` read their claims, None for the rules."""

    game_id: int
    version: int | None
    error: str | None
    reader: str | None = None


def events(session: Session, game_id: int, kinds: Sequence[str] | None = None) -> list[EventRow]:
    """The events of a game, in order; those of some kinds, where they are named."""
    query = (
        select(*COLUMNS)
        .join(EventType, col(EventType.id) == col(GameEvent.kind))
        .where(col(GameEvent.game_id) == game_id)
        .order_by(col(GameEvent.seq))
    )
    if kinds is not None:
        query = query.where(col(EventType.name).in_(kinds))
    return [event_of(*row) for row in session.execute(query)]


def events_state(session: Session, game_id: int) -> EventsState | None:
    """Whether a game has events; None for a game that is not there."""
    query = select(Game.events_version, Game.events_error, Game.events_reader)
    row = session.execute(query.where(Game.id == game_id)).first()
    return None if row is None else EventsState(game_id, *row)


def finished_games(
    session: Session,
    selection: Selection,
    *,
    lacking: int | None = None,
    reader: str | None = None,
) -> list[int]:
    """The finished games of a selection, the oldest first; with `lacking`, those that have no
    events of this version, or none whose claims this `reader` read, where one is named."""
    chosen = selection.on(session.connection())
    query = select(Game.id).where(Game.status == "completed", *chosen.of_games())
    if lacking is not None:
        query = query.where(
            or_(
                col(Game.events_version).is_(None),
                col(Game.events_version) != lacking,
                col(Game.events_error).is_not(None),
                *([] if reader is None else [_read_by_another(reader)]),
            )
        )
    return [int(key) for key in session.scalars(query.order_by(col(Game.id))) if key is not None]


def _read_by_another(reader: str) -> Any:
    own = col(Game.events_reader)
    if reader == _RULES:
        return own.is_not(None)
    return or_(own.is_(None), own != reader)


def event_types(session: Session) -> Iterator[EventType]:
    """The kinds of event on record, by name."""
    yield from session.exec(select(EventType).order_by(col(EventType.name)))


def kinds_told(session: Session, tournaments: Sequence[str], kinds: Iterable[str]) -> set[str]:
    """Those of the kinds of event of which a game of these tournaments told any."""
    games = (
        select(GameEvent.kind)
        .join(Game, col(Game.id) == col(GameEvent.game_id))
        .join(Tournament, col(Tournament.id) == col(Game.tournament_id))
        .where(col(Tournament.name).in_(tournaments), GameEvent.kind == EventType.id)
    )
    known = select(EventType.name).where(col(EventType.name).in_({*kinds}), games.exists())
    return {*session.exec(known)}


def plain(row: EventRow) -> dict[str, Any]:
    """An event as plain data, keyword by keyword."""
    return {**row._asdict(), "data": dict(row.data)}


def event_of(
    turn: int | None,
    day: int | None,
    phase: str | None,
    kind: str,
    source: int | None,
    target: int | None,
    audience: int | None,
    data: Any,
) -> EventRow:
    """An event from COLUMNS."""
    return EventRow(turn, day, phase, kind, source, target, audience, data or {})
