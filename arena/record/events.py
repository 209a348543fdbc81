"""The events of a game as rows, and back."""

from __future__ import annotations

from arena.core import Event
from arena.events.gathering import GatheredEvents
from db.writer.events import EventRow, EventsTold, EventTypeRow
from db.writer.games import PositionRow


def events_told(game_id: int, gathered: GatheredEvents) -> EventsTold:
    """What was gathered in a game, to be written."""
    return EventsTold(
        game_id,
        gathered.version,
        tuple(map(_row, gathered.events)),
        tuple(EventTypeRow(kind.name, kind.description, kind.schema) for kind in gathered.kinds),
        gathered.error,
        gathered.reader,
        tuple(PositionRow(position.name, position.team) for position in gathered.positions),
    )


def _row(event: Event) -> EventRow:
    return EventRow(
        event.turn,
        event.day,
        event.phase,
        event.kind,
        event.source,
        event.target,
        event.audience,
        event.data,
    )
