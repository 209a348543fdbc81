"""Writes what happened in a game, in the transaction that finishes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from db.codec import to_json
from db.errors import WriteFailed
from db.models.columns import storable_json
from db.writer.connections import Connection
from db.writer.games import PositionRow
from db.writer.subject import Record, Rows, Subject, Writing, cleaned

_TYPE = (
    "INSERT INTO event_types (name, description, schema, created_at) VALUES (?, ?, ?::json, ?) "
    "ON CONFLICT (name) DO NOTHING"
)
_EVENT = (
    "INSERT INTO game_events (game_id, seq, turn, day, phase, kind, source, target, audience, data)"
    " VALUES (?, ?, ?, ?, ?, (SELECT id FROM event_types WHERE name = ?), ?, ?, ?, ?::json) "
    "ON CONFLICT (game_id, seq) DO NOTHING"
)
_STATE = "UPDATE games SET events_version = ?, events_error = ?, events_reader = ? WHERE id = ?"


class EventRow(NamedTuple):
    """One event of a game, as it stands in its row, with its kind by name; no data is an empty
    object."""

    turn: int | None
    day: int | None
    phase: str | None
    kind: str
    source: int | None
    target: int | None
    audience: int | None
    data: Mapping[str, Any]


class EventTypeRow(NamedTuple):
    """A kind of event with the JSON Schema of its data."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventsTold:
    """The events of a game in order, of the projection's `version`; `error` says why there are
    none. `types` are the kinds that they are of; `reader` read the claims among them, None for the
    rules. `positions` are those that the game came to, each once."""

    game_id: int
    version: int
    events: Sequence[EventRow] = ()
    types: Sequence[EventTypeRow] = ()
    error: str | None = None
    reader: str | None = None
    positions: Sequence[PositionRow] = ()


def _told(writing: Writing, record: EventsTold, following: Record | None) -> Rows:
    _add_types(writing, record.types)
    state = (record.version, cleaned(record.error)[0], record.reader, record.game_id)
    return [
        *((_EVENT, row) for row in stored(record.game_id, record.events)),
        (_STATE, state),
    ]


def stored(game_id: int, events: Sequence[EventRow]) -> list[tuple[Any, ...]]:
    """The values of the events' rows, in the order of the columns, with each kind by its name."""
    return [
        (
            game_id,
            seq,
            event.turn,
            event.day,
            cleaned(event.phase)[0],
            event.kind,
            event.source,
            event.target,
            event.audience,
            to_json(storable_json(dict(event.data))) if event.data else None,
        )
        for seq, event in enumerate(events)
    ]


def _add_types(writing: Writing, types: Sequence[EventTypeRow]) -> None:
    """Add the kinds that no row holds yet. What is remembered of them is not trusted where rows
    are written again: the transaction that added them may have been rolled back."""
    known = writing.event_types
    for name, description, schema in types:
        if name not in known or not writing.chained:
            moment = writing.time(datetime.now(UTC))
            text = to_json(storable_json(dict(schema)))
            writing.connection.execute(_TYPE, (name, description, text, moment))
            known.add(name)


def _expect(connection: Connection, record: EventsTold) -> None:
    raise WriteFailed(f"there is no game {record.game_id} to tell the events of")


SUBJECT = Subject(statements=(_EVENT, _STATE), rows={EventsTold: _told}, expects=_expect)
