"""Writes the chunks of clearance that workers have, in the transaction that asks for the lease."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from db.writer.subject import Record, Rows, Subject, Writing

# The slot is that of a chunk which has ended.
_GRANT = (
    "INSERT INTO granted_chunks (tournament_id, worker, slot, fence, chunk, model, calls, tokens, "
    "dollars, granted_at, until, returned) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) "
    "ON CONFLICT (tournament_id, worker, slot) DO UPDATE SET fence = excluded.fence, "
    "chunk = excluded.chunk, model = excluded.model, calls = excluded.calls, "
    "tokens = excluded.tokens, dollars = excluded.dollars, granted_at = excluded.granted_at, "
    "until = excluded.until, returned = 0"
)
_RETURN = (
    "UPDATE granted_chunks SET returned = ? WHERE tournament_id = ? AND worker = ? AND slot = ? "
    "AND fence = ? AND chunk = ?"
)


@dataclass(frozen=True, slots=True)
class ChunkGranted:
    """A worker is about to be told of a chunk (`db.models.GrantedChunk`). It is of no game:
    `game_id` is that of none."""

    tournament_id: int
    worker: str
    slot: int
    fence: int
    chunk: int
    model: str
    calls: int
    tokens: int
    dollars: float | None
    granted_at: datetime
    until: datetime
    game_id: int = 0


@dataclass(frozen=True, slots=True)
class ChunkReturned:
    """So many calls of a chunk will not be sent: all that were left of it."""

    tournament_id: int
    worker: str
    slot: int
    fence: int
    chunk: int
    returned: int
    game_id: int = 0


def _granted(writing: Writing, record: ChunkGranted, following: Record | None) -> Rows:
    row = (
        record.tournament_id,
        record.worker,
        record.slot,
        record.fence,
        record.chunk,
        record.model,
        record.calls,
        record.tokens,
        record.dollars,
        writing.time(record.granted_at),
        writing.time(record.until),
    )
    return [(_GRANT, row)]


def _returned(writing: Writing, record: ChunkReturned, following: Record | None) -> Rows:
    key = (record.tournament_id, record.worker, record.slot, record.fence, record.chunk)
    return [(_RETURN, (record.returned, *key))]


SUBJECT = Subject(
    statements=(_GRANT, _RETURN), rows={ChunkGranted: _granted, ChunkReturned: _returned}
)
